"""What callers may send: each limit of the contract at its border, one side good and one side bad."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common.errors import BadRequest, ValidationFailed
from log_service.chalicelib.domain import Level
from log_service.chalicelib.schemas import Fault, LogIn, RecentQuery, TailQuery, media_type, read_batch

PLAIN: dict[str, Any] = {"service_name": "payments", "log_type": "application", "level": "INFO", "message": "taken"}
NDJSON = "application/x-ndjson"
JSON = "application/json"
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**38) + 1, 10**38 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text("abcé ", max_size=3), parts, max_size=4),
    max_leaves=12,
)


def nested(levels: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(levels - 1):
        inner = {"a": inner}
    return inner


def read(record: object) -> LogIn:
    return LogIn.model_validate_json(json.dumps(record))


BORDERS: dict[str, tuple[str, object, object]] = {
    "longest service": ("service_name", "s" * 128, "s" * 129),
    "shortest service": ("service_name", "s", ""),
    "signs of a service": ("service_name", "aZ0_.:/-", "a b"),
    "first sign of a service": ("service_name", "0a", "-a"),
    "end of a service": ("service_name", "a", "a\n"),
    "a service is ASCII": ("service_name", "e", "é"),
    "longest type": ("log_type", "a" * 64, "a" * 65),
    "signs of a type": ("log_type", "a0_.-", "a:b"),
    "a type is small": ("log_type", "audit", "Audit"),
    "first sign of a type": ("log_type", "a1", "1a"),
    "a level in any case": ("level", "warning", "notice"),
    "a level is a text": ("level", "INFO", 9),
    "shortest message": ("message", "m", ""),
    "longest message": ("message", "m" * 65_536, "m" * 65_537),
    "longest message in UTF-8": ("message", "é" * 32_768, "é" * 32_768 + "m"),
    "a message is a text": ("message", "1", 1),
    "no NUL in a message": ("message", "\x01\n\t", "a\x00b"),
    "no lone surrogate in a message": ("message", "😀", "\ud83d"),
    "a timestamp has a zone": ("timestamp", "2026-02-03T04:05:06+01:00", "2026-02-03T04:05:06"),
    "a timestamp is a text": ("timestamp", None, 1_770_000_000),
    "a log_id is a UUID": ("log_id", "0B5C0F4E-5F0C-4E0E-8F6B-2F6E1F3C1A11", "0b5c0f4e5f0c4e0e8f6b2f6e1f3c1a11"),
    "a log_id is no more": ("log_id", None, "0b5c0f4e-5f0c-4e0e-8f6b-2f6e1f3c1a11\n"),
    "metadata is an object": ("metadata", {}, []),
    "metadata is not null": ("metadata", {"a": None}, None),
    "deepest metadata": ("metadata", nested(16), nested(17)),
    "deepest list in metadata": ("metadata", {"a": [[[]]]}, {"a": json.loads("[" * 16 + "]" * 16)}),
    "longest integer": ("metadata", {"a": 10**38 - 1}, {"a": 10**38}),
    "longest negative integer": ("metadata", {"a": -(10**38) + 1}, {"a": -(10**38)}),
    "numbers are finite": ("metadata", {"a": 1e308}, {"a": float("inf")}),
    "not a number": ("metadata", {"a": 0.0}, {"a": float("nan")}),
    "no NUL in metadata": ("metadata", {"a": "\x01"}, {"a": ["\x00"]}),
    "no NUL in a name": ("metadata", {"\x01": 1}, {"\x00": 1}),
    "no lone surrogate in a name": ("metadata", {"é": 1}, {"\udc00": 1}),
}


@pytest.mark.parametrize(("field", "good", "bad"), BORDERS.values(), ids=BORDERS)
def test_each_limit_takes_one_side_and_names_the_field_on_the_other(field: str, good: object, bad: object) -> None:
    lines = [json.dumps({**PLAIN, field: value}).encode() for value in (good, bad)]

    taken, refused = read_batch(b"\n".join(lines), NDJSON)
    same_taken, same_refused = read_batch(b'{"logs": [' + b",".join(lines) + b"]}", JSON)

    assert isinstance(taken, LogIn)
    assert isinstance(refused, Fault)
    assert field in refused.message
    assert same_taken == taken
    assert isinstance(same_refused, Fault)
    assert field in same_refused.message


@pytest.mark.parametrize("field", PLAIN)
def test_every_plain_field_is_required(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        read({name: value for name, value in PLAIN.items() if name != field})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        read({**PLAIN, "colour": "red"})


def test_a_log_id_is_kept_in_small_letters() -> None:
    assert read({**PLAIN, "log_id": "0B5C0F4E-5F0C-4E0E-8F6B-2F6E1F3C1A11"}).log_id == (
        "0b5c0f4e-5f0c-4e0e-8f6b-2f6e1f3c1a11"
    )


@given(st.dictionaries(st.text("abcé ", max_size=3), JSON_VALUES, max_size=4))
def test_metadata_comes_back_equal_and_integers_as_integers(metadata: dict[str, Any]) -> None:
    kept = read({**PLAIN, "metadata": metadata}).metadata

    back = json.loads(kept)
    assert back == metadata
    assert repr(sorted_json(back)) == repr(sorted_json(metadata))


def sorted_json(value: object) -> object:
    match value:
        case dict():
            return {name: sorted_json(value[name]) for name in sorted(value)}
        case list():
            return [sorted_json(part) for part in value]
        case _:
            return value


def test_metadata_with_its_names_in_another_order_is_the_same() -> None:
    one = {**PLAIN, "metadata": {"b": 1, "a": {"d": 2, "c": 3}}}
    other = {**PLAIN, "metadata": {"a": {"c": 3, "d": 2}, "b": 1}}

    assert read(one).metadata == read(other).metadata


# ---- batches ---------------------------------------------------------------------------------------------------------

BAD_RECORDS: dict[str, bytes] = {
    "no object": b"17",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "empty": b"{}",
    "NaN": json.dumps({**PLAIN, "metadata": {"a": float("nan")}}).encode(),
    "deep metadata": json.dumps({**PLAIN, "metadata": nested(60)}).encode(),
    "a huge number": b'{"metadata": {"a": 1e999}}',
    "a huge integer": b'{"metadata": {"a": ' + b"9" * 5_000 + b"}}",
    "a lone surrogate": b'{"message": "\\ud800"}',
    "a list as a name": b'{"service_name": ["payments"]}',
}
BROKEN_LINES = {
    "no JSON": b"{",
    "bad UTF-8": b'{"message": "\xff"}',
    "a bare word": b"hello",
    "two values": b"{} {}",
    "very deep": b'{"metadata": ' + b"[" * 100_000,
}
GOOD = json.dumps(PLAIN).encode()


@pytest.mark.parametrize("bad", BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_bad_record_leaves_the_others_of_its_batch(bad: bytes) -> None:
    in_json = read_batch(b'{"logs": [' + GOOD + b"," + bad + b"," + GOOD + b"]}", JSON)
    in_lines = read_batch(GOOD + b"\r\n" + bad + b"\n\n" + GOOD, NDJSON)

    for entries in (in_json, in_lines):
        assert [type(entry) for entry in entries] == [LogIn, Fault, LogIn]
        assert isinstance(entries[1], Fault)
        assert entries[1].message.isprintable()


@pytest.mark.parametrize("bad", BROKEN_LINES.values(), ids=BROKEN_LINES)
def test_a_broken_line_leaves_the_others(bad: bytes) -> None:
    entries = read_batch(b"\n".join([GOOD, bad, GOOD]), NDJSON)

    assert [type(entry) for entry in entries] == [LogIn, Fault, LogIn]


NO_BATCHES = [b"", b"{", b"[]", b"null", b"{}", b'{"logs": {}}', b'{"logs": []}', b'{"logs": [1], "x": 1}', b"\xff"]


@pytest.mark.parametrize("body", [*NO_BATCHES, b"[" * 100_000, b'{"logs": [' + b"1," * 1000 + b"1]}"])
def test_a_batch_that_is_none_is_refused_whole(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_batch(body, JSON)


def test_a_batch_holds_one_to_a_thousand_records_in_either_encoding() -> None:
    assert len(read_batch(b'{"logs": [' + b",".join([GOOD] * 1000) + b"]}", JSON)) == 1000
    assert len(read_batch(b"\n".join([GOOD] * 1000) + b"\n", NDJSON)) == 1000
    for body in (b"\n".join([GOOD] * 1001), b"", b"\n\n \n"):
        with pytest.raises(ValidationFailed):
            read_batch(body, NDJSON)


def test_a_fault_repeats_the_log_id_that_the_record_gave() -> None:
    log_id = "0b5c0f4e-5f0c-4e0e-8f6b-2f6e1f3c1a11"

    (fault,) = read_batch(json.dumps({"logs": [{"log_id": log_id}]}).encode(), JSON)

    assert isinstance(fault, Fault)
    assert fault.log_id == log_id


@given(st.binary(max_size=60), st.sampled_from([JSON, NDJSON]))
def test_any_bytes_are_records_or_a_bad_request(raw: bytes, media: str) -> None:
    try:
        entries = read_batch(raw, media)
    except BadRequest:
        return

    assert all(isinstance(entry, LogIn | Fault) for entry in entries)


# ---- questions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("limit", "1", "0"), ("limit", "1000", "1001"), ("limit", "7", "7.0"), ("limit", "7", "+7"),
        ("limit", "7", " 7"), ("limit", "7", "\u0667"), ("limit", "7", "0x7"), ("limit", "7", "1_0"),
        ("hours", "1", "0"), ("hours", "168", "169"), ("cursor", "a" * 1024, "a" * 1025), ("cursor", "aZ0_-", "a b"),
        ("since", "2026-02-03T04:05:06 01:00", "2026-02-03"), ("min_level", "warn", "x"), ("log_type", "a", "A"),
        ("service_name", "a", "a#b"),
    ],
)  # fmt: skip
def test_each_parameter_has_its_border(field: str, good: str, bad: str) -> None:
    RecentQuery.model_validate({field: good})

    with pytest.raises(ValidationError):
        RecentQuery.model_validate({field: bad})


@pytest.mark.parametrize(
    ("good", "bad"), [("0", "-1"), ("20", "20.1"), ("0.5", "nan"), ("19.999", "1e1"), ("1", "inf")]
)
def test_a_wait_is_0_to_20_seconds(good: str, bad: str) -> None:
    assert TailQuery.model_validate({"wait": good}).wait == float(good)

    with pytest.raises(ValidationError):
        TailQuery.model_validate({"wait": bad})


def test_levels_may_be_repeated_and_are_one_question() -> None:
    query = RecentQuery.model_validate({"level": ["info", "CRITICAL"], "min_level": "warning"})

    assert query.filters().levels == {Level.FATAL}


@pytest.mark.parametrize("header", ["application/json", "Application/JSON; charset=utf-8", " application/json ;q=1"])
def test_a_media_type_is_read_whatever_stands_around_it(header: str) -> None:
    assert media_type(header) == JSON
