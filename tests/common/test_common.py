"""The small ones: who calls, health, the clock, settings, streams."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.auth import LOCAL_CALLER, iam_caller
from common.clock import SystemClock, rfc3339, to_us
from common.errors import Unauthorized, Unavailable
from common.events import inserted
from common.health import examine
from common.settings import Stage
from tests.fakes.clock import FakeClock

USER = "arn:aws:iam::123456789012:user/somebody"
ROLE = "arn:aws:sts::123456789012:assumed-role/writer"


@pytest.mark.parametrize(
    ("arn", "caller"),
    [
        (USER, USER),
        (f"{ROLE}/session-1", ROLE),
        (f"{ROLE}/a/b", ROLE),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/r/s", "arn:aws-us-gov:sts::123456789012:assumed-role/r"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
    ],
)
def test_a_caller_is_a_user_or_a_role_without_its_session(arn: str, caller: str) -> None:
    assert iam_caller({"identity": {"userArn": arn}}, "prod") == caller


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize(
    "context", [{}, {"identity": None}, {"identity": {"userArn": None}}, {"identity": {"userArn": ""}}]
)
def test_outside_local_nobody_is_refused(context: dict[str, object], stage: Stage) -> None:
    with pytest.raises(Unauthorized):
        iam_caller(context, stage)

    assert iam_caller(context, "local") == LOCAL_CALLER


def test_health_asks_every_store_and_one_that_is_down_makes_it_503() -> None:
    clock = FakeClock()

    def slow() -> None:
        clock.advance(0.25)

    def down() -> None:
        raise Unavailable("No.")

    well = examine("s", "1", "dev", {"a": slow}, clock)
    ill = examine("s", "1", "dev", {"a": slow, "b": down}, clock)

    assert (well.status, well.http_status, well.checks["a"].latency_ms) == ("healthy", 200, 250.0)
    assert (ill.status, ill.http_status) == ("unhealthy", 503)
    assert [ill.checks[name].status for name in "ab"] == ["healthy", "unhealthy"]
    assert well.model_dump(by_alias=True)["checks"] == {"a": {"status": "healthy", "latencyMs": 250.0}}


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001  # zone beside
def test_an_instant_is_written_in_utc_with_six_digits(moment: datetime) -> None:
    text = rfc3339(to_us(moment))

    assert text[-1] == "Z"
    assert len(text) == 27
    assert datetime.fromisoformat(text) == moment


def test_the_machines_clock_gives_now_and_ids_that_are_random_uuids() -> None:
    clock = SystemClock()
    ids = {clock.new_id() for _ in range(1_000)}

    clock.sleep(0)

    assert abs(clock.now_us() - to_us(datetime.now(UTC))) < 5_000_000
    assert clock.monotonic() <= clock.monotonic()
    assert len(ids) == 1_000
    assert all(str(uuid.UUID(text)) == text and uuid.UUID(text).version == 4 for text in ids)
    assert all(uuid.UUID(text).variant == uuid.RFC_4122 for text in ids)


def test_only_new_items_of_a_stream_are_told() -> None:
    records = [
        {"eventID": "1", "eventName": "INSERT", "dynamodb": {"NewImage": {"pk": {"S": "a"}}}},
        {"eventID": "2", "eventName": "MODIFY", "dynamodb": {"NewImage": {"pk": {"S": "b"}}}},
        {"eventID": "3", "eventName": "REMOVE", "dynamodb": {}},
    ]

    found = inserted({"Records": records})

    assert [(one.event_id, one.image) for one in found] == [("1", {"pk": "a"})]
    assert inserted({}) == []
