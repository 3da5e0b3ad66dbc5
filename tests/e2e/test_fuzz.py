"""Random bytes and broken JSON to every route that takes a body: an answer in our envelope, never a 500."""

import gzip
import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from .calling import JSON, NDJSON, PROTOBUF, Api, Reply, record, unique

FUZZ = settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SENT = [
    ("/logs", JSON),
    ("/logs/batch", JSON),
    ("/logs/batch", NDJSON),
    ("/v1/logs", JSON),
    ("/v1/logs", PROTOBUF),
]
KEYS = ["service_name", "log_type", "level", "message", "timestamp", "metadata", "log_id", "logs", "resourceLogs"]
KEYS += ["scopeLogs", "logRecords", "body", "attributes", "key", "value", "intValue", "timeUnixNano", "traceId"]
TEXTS = st.text(max_size=20) | st.sampled_from(["\x00", "\ud800", "INFO", "2026-02-03T04:05:06Z", "-0", "\u0661"])
NUMBERS = st.integers() | st.integers(min_value=10**30, max_value=10**45) | st.floats()
TREES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | TEXTS, parts, max_size=6),
    max_leaves=25,
)
GOOD = {
    "/logs": record("fuzz"),
    "/logs/batch": {"logs": [record("fuzz"), record("fuzz")]},
    "/v1/logs": {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}, "attributes": []}]}]}]},
}
DAMAGE = st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4), st.integers(0, 6)), min_size=1, max_size=5)


def damaged(body: bytes, damage: list[tuple[int, bytes, int]]) -> bytes:
    """The body with some bytes replaced, inserted or taken away."""
    for at, put, taken in damage:
        at %= len(body) + 1  # noqa: PLW2901
        body = body[:at] + put + body[at + taken :]
    return body


def answered(reply: Reply) -> None:
    assert reply.status in {200, 201, 400, 413, 415}, reply


def both(body: bytes, post: Callable[[bytes], Reply]) -> None:
    """As it is, and packed."""
    answered(post(body))
    answered(post(gzip.compress(body)))


@pytest.mark.parametrize(("route", "media"), SENT)
def test_random_bytes_are_answered(api: Api, route: str, media: str) -> None:
    @seed(1)
    @FUZZ
    @given(st.binary(max_size=300))
    def holds(body: bytes) -> None:
        both(body, lambda sent: api.post(route, sent, media))

    holds()


@pytest.mark.parametrize(("route", "media"), SENT)
def test_any_json_is_answered(api: Api, route: str, media: str) -> None:
    @seed(2)
    @FUZZ
    @given(TREES)
    def holds(tree: object) -> None:
        both(json.dumps(tree).encode(), lambda sent: api.post(route, sent, media))

    holds()


@pytest.mark.parametrize(("route", "media"), SENT)
def test_damaged_requests_are_answered(api: Api, route: str, media: str) -> None:
    @seed(3)
    @FUZZ
    @given(DAMAGE)
    def holds(damage: list[tuple[int, bytes, int]]) -> None:
        both(damaged(json.dumps(GOOD[route]).encode(), damage), lambda sent: api.post(route, sent, media))

    holds()


@pytest.mark.parametrize("route", ["/logs", "/logs/batch"])
def test_a_record_with_any_one_field_replaced_is_answered_and_what_is_taken_comes_back(api: Api, route: str) -> None:
    service = unique("fuzz")
    taken: list[object] = []

    @seed(4)
    @FUZZ
    @given(st.dictionaries(st.text(max_size=10), TREES, max_size=4))
    def holds(metadata: dict[str, object]) -> None:
        entry = record(service, metadata=metadata)
        reply = api.post(route, entry if route == "/logs" else {"logs": [entry]})
        answered(reply)
        if reply.status < 300:
            taken.append(metadata)

    holds()
    assert taken
    assert [log["metadata"] for log in api.walk(service_name=service)] == taken[::-1]
