"""What comes in: bodies within their limits, JSON that is hostile, parameters, cursors."""

import gzip
import json
import time
import zlib
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from common.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from common.web import Limits, body_of, json_body, query_of
from common.web.cursor import Cursor, CursorSeal, fingerprint
from common.web.hostile import explain_json, faults
from tests.common.http import Call

LIMITS = Limits(sent=1024, inflated=4096)
TOP = Limits(sent=4 * 1024 * 1024, inflated=5 * 1024 * 1024)


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    metadata: dict[str, Any] = {}


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=10)] = 5
    level: tuple[str, ...] = ()


def read(body: bytes, limits: Limits = LIMITS, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return body_of(Call("POST", "/", named, body).request(), limits)


def as_order(body: bytes) -> Order:
    return json_body(Order, Call("POST", "/", {}, body).request(), TOP)


def asked(query: dict[str, list[str]]) -> Question:
    return query_of(Question, Call("GET", "/", query=query).request())


# ---- bodies ----------------------------------------------------------------------------------------------------------


def test_a_body_may_be_as_long_as_the_limit_and_no_byte_longer() -> None:
    assert len(read(b"x" * 1024)) == 1024
    with pytest.raises(PayloadTooLarge, match="1 KiB"):
        read(b"x" * 1025)


def test_an_inflated_body_may_be_as_long_as_its_limit_and_no_byte_longer() -> None:
    assert len(read(gzip.compress(b"x" * 4096))) == 4096
    with pytest.raises(PayloadTooLarge, match="4 KiB after inflation"):
        read(gzip.compress(b"x" * 4097))


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "X-GZIP", " gzip "])
def test_gzip_is_known_by_its_first_bytes_whatever_the_header_says(encoding: str) -> None:
    assert read(gzip.compress(b"hello"), content_encoding=encoding) == b"hello"


def test_members_of_a_gzip_body_are_read_together_and_their_sum_is_limited() -> None:
    assert read(gzip.compress(b"a") + gzip.compress(b"") + gzip.compress(b"b")) == b"ab"
    with pytest.raises(PayloadTooLarge):
        read(gzip.compress(b"x" * 4000) + gzip.compress(b"x" * 100))


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"hello")[:-1], gzip.compress(b"hello")[:12], b"\x1f\x8b", gzip.compress(b"hello") + b"x",
        gzip.compress(b"hello")[:-8] + b"\0" * 8, b"\x1f\x8b" + b"\xff" * 50,
    ],
)  # fmt: skip
def test_a_broken_gzip_body_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read(body)


def test_a_body_that_is_not_what_its_encoding_says_is_refused() -> None:
    with pytest.raises(BadRequest):
        read(b"hello", content_encoding="gzip")
    with pytest.raises(UnsupportedMediaType):
        read(zlib.compress(b"hello"), content_encoding="deflate")


@pytest.mark.parametrize(
    "bomb",
    [gzip.compress(b"\0" * 200_000_000, 9), gzip.compress(b"", mtime=0) * 200_000],
    ids=["a large member", "many empty members"],
)
def test_a_bomb_costs_little(bomb: bytes) -> None:
    started = time.process_time()

    with pytest.raises(BadRequest if len(bomb) > 1_000_000 else PayloadTooLarge):
        read(bomb, TOP)

    assert time.process_time() - started < 1


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_body_or_a_bad_request(body: bytes, magic: bool) -> None:  # noqa: FBT001  # hypothesis names it
    try:
        read((b"\x1f\x8b\x08\x00" if magic else b"") + body)
    except BadRequest:
        return

    assert not magic or body


# ---- hostile JSON ----------------------------------------------------------------------------------------------------

HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "an open brace": b"{",
    "very deep": b"[" * 100_000,
    "deep and whole": b'{"name": "a", "metadata": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    "bad UTF-8": b'{"name": "\xff"}',
    "overlong UTF-8": b'{"name": "\xc0\x80"}',
    "UTF-16": json.dumps({"name": "a"}).encode("utf-16"),
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a lone surrogate in a name": b'{"name": "a", "metadata": {"\\udc00": 1}}',
    "a huge integer": b'{"name": ' + b"9" * 100_000 + b"}",
    "not an object": b"[]",
    "null": b"null",
    "wrong type": b'{"name": 1}',
    "unknown": b'{"name": "a", "x\\u0000\\u202e": 1}',
    "two values": b'{"name": "a"} {}',
    "a comment": b'{"name": "a"} // x',
    "single quotes": b"{'name': 'a'}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_refused_with_a_printable_reason(body: bytes) -> None:
    with pytest.raises(BadRequest) as raised:
        as_order(body)

    assert raised.value.message.isprintable()
    assert len(raised.value.message) < 2_000


@given(st.binary(max_size=60) | st.text().map(str.encode))
def test_any_bytes_are_a_model_or_a_bad_request(body: bytes) -> None:
    try:
        order = as_order(body)
    except BadRequest:
        return

    assert isinstance(order, Order)


@given(st.binary(max_size=60) | st.text('{}[]",:\\ud80-1eE.NaInfity').map(str.encode))
def test_any_bytes_have_an_explanation(body: bytes) -> None:
    assert explain_json(body).message.isprintable()


def test_a_fault_is_named_by_its_place() -> None:
    value = {"a": [1, {"b": float("nan")}], "c": "x\0", "d": 10**38, "e": {"\ud800": 1}, "f": "é", "g": True}

    assert [(path, problem.split()[0]) for path, problem in faults(value)] == [
        (("a", 1, "b"), "is"),
        (("c",), "holds"),
        (("d",), "is"),
        (("e",), "a"),
    ]


# ---- parameters ------------------------------------------------------------------------------------------------------


def test_parameters_are_read_and_only_a_list_may_be_repeated() -> None:
    assert asked({"limit": ["7"], "level": ["a", "b"]}) == Question(limit=7, level=("a", "b"))
    assert asked({}) == Question()


@pytest.mark.parametrize(
    "query",
    [
        {"limit": ["0"]},
        {"limit": ["x"]},
        {"limit": [""]},
        {"limit": ["1", "2"]},
        {"level": ["a", ""]},
        {"limits": ["1"]},
    ],
    ids=str,
)
def test_a_parameter_that_is_wrong_is_named(query: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationFailed) as raised:
        asked(query)

    assert raised.value.details[0].field.split(".")[0] == next(iter(query))


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.lists(st.text(max_size=5), min_size=1, max_size=3), max_size=3)
)
def test_any_parameters_are_a_question_or_a_bad_request(query: dict[str, list[str]]) -> None:
    try:
        question = asked(query)
    except BadRequest as error:
        assert error.message.isprintable()  # noqa: PT017  # what it says is the matter
        return

    assert isinstance(question, Question)


# ---- cursors ---------------------------------------------------------------------------------------------------------

SEAL = CursorSeal("one")
CURSOR = Cursor("recent", "1770120000000000#ab", "filters", (1, 2))


@given(st.text(max_size=20), st.text(max_size=20), st.tuples(st.integers(0, 2**53), st.integers(0, 2**53)))
def test_a_cursor_comes_back(position: str, filters: str, bounds: tuple[int, int]) -> None:
    cursor = Cursor("recent", position, filters, bounds)

    assert SEAL.open(SEAL.close(cursor)) == cursor


def test_a_cursor_that_was_altered_anywhere_is_refused() -> None:
    text = SEAL.close(CURSOR)
    others = {text[:n] + ("A" if text[n] != "A" else "B") + text[n + 1 :] for n in range(len(text))}
    others |= {text[:n] for n in range(len(text))} | {
        text + "A",
        text + "=",
        " " + text,
        text + "\n",
        "é",
        "-",
        "=" * 4,
    }

    for other in others:
        with pytest.raises(ValidationFailed, match="cursor"):
            SEAL.open(other)


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(ValidationFailed):
        SEAL.open(CursorSeal("two").close(CURSOR))


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with pytest.raises(ValidationFailed):
        SEAL.open(text)


def test_a_fingerprint_is_of_what_was_asked_and_not_of_its_order() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert len({fingerprint(x) for x in ({}, {"a": None}, {"a": 1}, {"a": [1]}, [1], None)}) == 6
