"""A LogRecord as a record of log_service: levels, instants, messages, exceptions and any extra."""

import json
import logging
import sys
from collections import OrderedDict
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_client.conversion import level_of, record_of
from log_client.safe_json import safe_json


def converted(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a LogRecord
    return record_of(logging.makeLogRecord({"name": "app", "msg": "m", "levelno": 20, **fields}), "billing", "audit")


class Colour(Enum):
    RED = "red"


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_the_record_is_complete() -> None:
    record = converted(created=1_795_003_200.123456)

    assert (record["service_name"], record["log_type"], record["level"]) == ("billing", "audit", "INFO")
    assert record["timestamp"] == "2026-11-18T12:00:00.123456Z"
    assert str(UUID(record["log_id"])) == record["log_id"]
    assert record["metadata"]["logger"] == "app"


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "TRACE"), (5, "TRACE"), (10, "DEBUG"), (20, "INFO"), (25, "INFO"), (30, "WARN"), (40, "ERROR"), (60, "FATAL")],
)
def test_any_level_number_has_a_level(number: int, name: str) -> None:
    assert level_of(number) == name


@pytest.mark.parametrize("created", [float("nan"), float("inf"), -1e30, None])
def test_an_impossible_instant_is_now(created: float) -> None:
    assert str(converted(created=created)["timestamp"]).startswith("20")


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("", "(empty)"),
        ("\x1b[31mred\r\n\ttab", "\x1b[31mred\r\n\ttab"),
        ("a\ud800b", "a\ufffdb"),
        ("nul\0", "nul\ufffd"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_a_message_is_exact_or_well_formed(given_text: str, kept: str) -> None:
    assert converted(msg=given_text)["message"] == kept


@pytest.mark.parametrize("letter", ["x", "é", "漢", "😀"])
def test_a_message_too_long_is_cut_between_characters_and_noted(letter: str) -> None:
    record = converted(msg=letter * 70_000)

    assert 65_536 - 4 < len(record["message"].encode()) <= 65_536
    assert set(record["message"]) == {letter}
    assert record["metadata"]["message_bytes"] == len((letter * 70_000).encode())


def test_arguments_that_do_not_fit_keep_the_record() -> None:
    record = converted(msg="%d of %s", args=("x",))

    assert record["message"] == "%d of %s"
    assert record["metadata"]["format_error"].startswith("TypeError")


def test_an_exception_is_told_with_its_stack_trace() -> None:
    try:
        Decimal("bad amount")
    except ArithmeticError:
        record = converted(exc_info=sys.exc_info())

    told = record["metadata"]["exception"]
    assert (told["type"], told["message"]) == ("decimal.InvalidOperation", "[<class 'decimal.ConversionSyntax'>]")
    assert told["stack_trace"].startswith("Traceback (most recent call last)")
    assert told["stack_trace"].endswith("decimal.InvalidOperation: [<class 'decimal.ConversionSyntax'>]")


def test_exc_info_without_an_exception_is_harmless() -> None:
    assert converted(exc_info=(None, None, None))["message"] == "m"
    assert converted(exc_text="Traceback ...")["metadata"]["exception"] == {"stack_trace": "Traceback ..."}


def test_extra_fields_are_metadata_and_never_hide_our_own() -> None:
    metadata = converted(order=7, logger="mine", amount=Decimal("1.10"))["metadata"]

    assert (metadata["order"], metadata["logger"], metadata["extra.logger"], metadata["amount"]) == (
        7,
        "app",
        "mine",
        "1.10",
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (1e300, "1e+300"),
        (Decimal("1E+2"), "1E+2"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (b"a\xff", "a\\xff"),
        ({3, 1, 2}, [1, 2, 3]),
        ((1, "a"), [1, "a"]),
        (Colour.RED, "red"),
        (OrderedDict({1: "one", "": "none"}), {"1": "one", "(empty)": "none"}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Rude(), "<Rude that has no text: RuntimeError>"),
        ("lone \ud800", "lone \ufffd"),
        ({"nul\0": "\0"}, {"nul\ufffd": "\ufffd"}),
    ],
)
def test_any_value_has_a_json_form(value: object, shown: object) -> None:
    assert safe_json(value) == shown


def test_huge_integers_are_text() -> None:
    assert safe_json(10**38 - 1) == 10**38 - 1
    assert isinstance(safe_json(10**10_000), str)


def test_cycles_and_depths_end() -> None:
    cycle: dict[str, Any] = {}
    cycle["self"] = cycle
    deep: list[Any] = []
    for _ in range(1_000):
        deep = [deep]

    assert safe_json(cycle) == {"self": "(cycle)"}
    assert json.dumps(safe_json(deep)).count("[") <= 16 + 1_000
    assert _depth(safe_json(deep)) == 16


def test_the_same_value_twice_is_no_cycle() -> None:
    shared = [1]

    assert safe_json([shared, shared]) == [[1], [1]]


def test_large_extra_is_cut_and_the_record_stays_within_its_limit() -> None:
    wide = converted(rows=list(range(1_000_000)))
    long = converted(**{f"field{number}": "x" * 16_000 for number in range(100)})

    assert wide["metadata"]["rows"][-1].startswith("(left out")
    assert long["metadata"]["truncated"].endswith("bytes of metadata left out")
    assert len(json.dumps(long)) < 256 * 1024


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.floats() | st.text() | st.binary() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=30,
    )
)
def test_whatever_is_given_becomes_strict_json(value: object) -> None:
    text = json.dumps(safe_json(value), allow_nan=False, ensure_ascii=False)

    assert json.loads(text.encode()) == safe_json(value)


def _depth(value: object) -> int:
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 1
