"""GET /logs/tail: two seconds behind now, by long poll; whoever reconnects loses and repeats nothing."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from .calling import Api, record, stamp, unique

DELAY = timedelta(seconds=2)
GENEROUS = timedelta(seconds=10)
SECONDS = 30


def instant(log: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(log["timestamp"])


def follow(api: Api, cursor: str, expected: int, **filters: object) -> Iterator[dict[str, Any]]:
    """Poll until so many records came; every poll is a new connection."""
    deadline, met = monotonic() + SECONDS, 0
    while met < expected:
        assert monotonic() < deadline, f"only {met} of {expected} records came"
        page = api.found("/logs/tail", cursor=cursor, wait=2, **filters)
        yield from page["logs"]
        met, cursor = met + page["count"], page["nextCursor"]


def test_without_a_cursor_it_starts_now(api: Api, service: str) -> None:
    api.post("/logs", record(service, message="before", timestamp=stamp(3)))

    start = api.found("/logs/tail", service_name=service)
    api.post("/logs", record(service, message="after"))
    came = list(follow(api, start["nextCursor"], 1, service_name=service))

    assert (start["count"], start["logs"]) == (0, [])
    assert [log["message"] for log in came] == ["after"]


def test_a_poll_is_held_until_a_record_is_two_seconds_old_and_answered_then(api: Api, service: str) -> None:
    cursor = api.found("/logs/tail", service_name=service)["nextCursor"]
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(api.found, "/logs/tail", service_name=service, cursor=cursor, wait=20)
        api.post("/logs", record(service))
        page = poll.result()
    answered = datetime.now(UTC)

    assert page["count"] == 1
    assert DELAY <= answered - instant(page["logs"][0]) < GENEROUS


def test_a_poll_that_meets_nothing_ends_after_its_wait_with_a_cursor_to_go_on(api: Api, service: str) -> None:
    cursor = api.found("/logs/tail", service_name=service)["nextCursor"]
    began = monotonic()

    page = api.found("/logs/tail", service_name=service, cursor=cursor, wait="1.5")

    assert monotonic() - began >= 1.5
    assert (page["count"], page["logs"]) == (0, [])
    assert page["nextCursor"]


@pytest.mark.parametrize("filters", [{}, {"min_level": "WARN"}, {"log_type": "audit"}, {"level": ["INFO", "ERROR"]}])
def test_whoever_reconnects_all_the_time_loses_and_repeats_nothing(
    api: Api, service: str, filters: dict[str, object]
) -> None:
    asked = {"service_name": service, **filters}
    cursor = api.found("/logs/tail", **asked)["nextCursor"]
    fields = {"level": "ERROR", "log_type": "audit"}
    done = threading.Event()

    def write() -> None:
        for number in range(0, 40, 4):
            now = stamp()  # four at the same instant
            batch = [record(service, message=str(n), timestamp=now, **fields) for n in range(number, number + 4)]
            other = [record(service, message="other", level="DEBUG")] if filters else []
            api.post("/logs/batch", {"logs": batch + other})
        done.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        came = list(follow(api, cursor, 40, limit=3, **asked))
        writing.result()

    assert done.is_set()
    assert sorted(int(log["message"]) for log in came) == list(range(40))
    stamps = [log["timestamp"] for log in came]
    assert stamps == sorted(stamps)


def test_a_cursor_may_be_used_again_and_with_another_limit(api: Api, service: str) -> None:
    cursor = api.found("/logs/tail", service_name=service)["nextCursor"]
    for number in range(5):
        api.post("/logs", record(service, message=str(number)))
    first = list(follow(api, cursor, 5, service_name=service, limit=1))

    again = list(follow(api, cursor, 5, service_name=service, limit=1000))

    assert [log["message"] for log in first] == [str(n) for n in range(5)]
    assert again == first


def test_the_cursor_of_a_page_of_recent_starts_the_tail_there(api: Api, service: str) -> None:
    logs = [record(service, message=str(n), timestamp=stamp(60 - n)) for n in range(10)]
    api.post("/logs/batch", {"logs": logs})
    page = api.found("/logs/recent", service_name=service, limit=4)

    tail = api.found("/logs/tail", service_name=service, cursor=page["nextCursor"])

    assert page["logs"][-1]["message"] == "6"
    assert [log["message"] for log in tail["logs"]] == ["7", "8", "9"]


def test_a_cursor_of_other_filters_is_400(api: Api, service: str) -> None:
    cursor = api.found("/logs/tail", service_name=service)["nextCursor"]
    page = api.found("/logs/recent", service_name=service, limit=1)

    assert page["nextCursor"] is None
    for other in ({"service_name": unique()}, {}, {"service_name": service, "level": "INFO"}):
        assert api.get("/logs/tail", cursor=cursor, **other).fields == {"cursor"}
    assert api.get("/logs/recent", service_name=service, cursor=cursor).fields == {"cursor"}


def test_an_altered_cursor_is_400(api: Api, service: str) -> None:
    cursor = api.found("/logs/tail", service_name=service)["nextCursor"]

    for number in range(len(cursor)):
        altered = cursor[:number] + ("A" if cursor[number] != "A" else "B") + cursor[number + 1 :]
        reply = api.get("/logs/tail", service_name=service, cursor=altered)
        assert (reply.status, reply.fields) == (400, {"cursor"})


def test_a_record_ahead_of_time_comes_when_its_time_has_come(api: Api, service: str) -> None:
    cursor = api.found("/logs/tail", service_name=service)["nextCursor"]
    ahead = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    api.post("/logs", record(service, message="ahead", timestamp=ahead))
    api.post("/logs", record(service, message="now"))

    came = list(follow(api, cursor, 2, service_name=service))

    assert [log["message"] for log in came] == ["now", "ahead"]
