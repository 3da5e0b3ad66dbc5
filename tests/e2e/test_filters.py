"""What /logs/recent and /services answer: exactly the records that were asked for, newest first, page by page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from common.web.cursor import Cursor, CursorSeal, fingerprint

from .calling import Api, record, stamp, unique

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
TYPES = ("application", "audit")
FIELDS = {"service_name", "timestamp", "log_id", "log_type", "level", "message", "metadata"}


@pytest.fixture(scope="module")
def world(api: Api) -> tuple[str, list[dict[str, Any]]]:
    """Each level and type a few times, one minute apart, oldest first, hours before what other tests write."""
    service = unique("filters")
    kinds = list(product(LEVELS, TYPES)) * 3
    records = [
        record(service, level=level, log_type=kind, message=str(n), timestamp=stamp(5 * 3600 - 60 * n))
        for n, (level, kind) in enumerate(kinds)
    ]
    assert api.post("/logs/batch", {"logs": records}).json["accepted"] == len(records)
    return service, records


type World = tuple[str, list[dict[str, Any]]]
QUESTIONS: dict[str, tuple[dict[str, object], Callable[[dict[str, Any]], bool]]] = {
    "everything": ({}, lambda _: True),
    "one level": ({"level": "ERROR"}, lambda r: r["level"] == "ERROR"),
    "another name of a level, in small letters": ({"level": "warning"}, lambda r: r["level"] == "WARN"),
    "two levels": ({"level": ["INFO", "fatal"]}, lambda r: r["level"] in {"INFO", "FATAL"}),
    "at least": ({"min_level": "WARN"}, lambda r: r["level"] in {"WARN", "ERROR", "FATAL"}),
    "at least, another name": ({"min_level": "CRITICAL"}, lambda r: r["level"] == "FATAL"),
    "both": ({"min_level": "WARN", "level": ["INFO", "ERROR"]}, lambda r: r["level"] == "ERROR"),
    "a type": ({"log_type": "audit"}, lambda r: r["log_type"] == "audit"),
    "a type nobody has": ({"log_type": "security"}, lambda _: False),
    "type and level": (
        {"log_type": "audit", "level": "INFO"},
        lambda r: (r["log_type"], r["level"]) == ("audit", "INFO"),
    ),
    "severe and type": (
        {"log_type": "audit", "min_level": "ERROR"},
        lambda r: r["log_type"] == "audit" and r["level"] in {"ERROR", "FATAL"},
    ),
}


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_walk_finds_exactly_what_the_filters_say_newest_first(api: Api, world: World, name: str, limit: int) -> None:
    service, records = world
    asked, wanted = QUESTIONS[name]
    expected = [r["message"] for r in reversed(records) if wanted(r)]

    pages = list(api.pages(service_name=service, limit=limit, **asked))

    assert [log["message"] for page in pages for log in page["logs"]] == expected
    assert all(page["count"] == len(page["logs"]) <= limit for page in pages)
    assert all(set(log) == FIELDS for page in pages for log in page["logs"])


@pytest.mark.parametrize("name", ["one level", "at least", "two levels", "type and level"])
def test_without_service_name_the_filters_hold_over_all_services(api: Api, world: World, name: str) -> None:
    service, records = world
    asked, wanted = QUESTIONS[name]

    span = {"since": records[0]["timestamp"], "until": records[-1]["timestamp"]}
    found = [log["message"] for log in api.walk(limit=1000, **span, **asked) if log["service_name"] == service]

    assert found == [r["message"] for r in reversed(records) if wanted(r)]


def test_since_and_until_are_both_included(api: Api, world: World) -> None:
    service, records = world
    first, last = records[5]["timestamp"], records[9]["timestamp"]

    found = api.walk(service_name=service, since=first, until=last, limit=2)

    assert [log["message"] for log in found] == [str(n) for n in range(9, 4, -1)]


@pytest.mark.parametrize("offset", [timedelta(hours=5, minutes=30), timedelta(hours=-8), timedelta()])
@pytest.mark.parametrize("plus", ["%2B", "+", " "])
def test_any_offset_is_taken_also_when_its_plus_arrives_as_a_space(
    api: Api, world: World, offset: timedelta, plus: str
) -> None:
    service, records = world
    moment = datetime.fromisoformat(records[5]["timestamp"])
    written = (moment + offset).strftime("%Y-%m-%dT%H:%M:%S.%f")
    minutes = abs(offset) // timedelta(minutes=1)
    sign = "-" if offset < timedelta() else plus
    text = f"{written}{sign}{minutes // 60:02d}:{minutes % 60:02d}".replace(" ", "%20")

    reply = api.call("GET", f"/logs/recent?service_name={service}&since={text}&until={text}")

    assert [log["message"] for log in reply.json["logs"]] == ["5"]


def test_hours_reach_back_from_now_or_from_until(api: Api, service: str) -> None:
    for hours in (0.5, 1.5, 30, 160):
        assert api.post("/logs", record(service, message=str(hours), timestamp=stamp(hours * 3600))).status == 201

    def found(**query: object) -> list[str]:
        return [log["message"] for log in api.walk(service_name=service, **query)]

    assert found() == ["0.5", "1.5"]
    assert found(hours=1) == ["0.5"]
    assert found(hours=168) == ["0.5", "1.5", "30", "160"]
    assert found(hours=48, until=stamp(3600)) == ["1.5", "30"]
    assert found(since=stamp(200 * 3600)) == ["0.5", "1.5", "30", "160"]


def test_the_default_page_has_100_records(api: Api, service: str) -> None:
    api.post("/logs/batch", {"logs": [record(service, message=str(n)) for n in range(101)]})

    page = api.found("/logs/recent", service_name=service)

    assert page["count"] == 100
    assert page["nextCursor"]
    assert "partial" not in page


def test_the_last_page_says_that_it_is_the_last(api: Api, world: World) -> None:
    service, records = world

    assert api.found("/logs/recent", service_name=service, limit=len(records))["nextCursor"] is None


def test_a_cursor_is_bound_to_its_filters_but_not_to_the_limit(api: Api, world: World) -> None:
    service, records = world
    cursor = api.found("/logs/recent", service_name=service, limit=3)["nextCursor"]
    others: list[dict[str, object]] = [{"level": "INFO"}, {"log_type": "audit"}, {"hours": 5}, {"min_level": "WARN"}]

    rest = api.found("/logs/recent", service_name=service, limit=1000, cursor=cursor)

    assert rest["count"] == len(records) - 3
    for other in others:
        assert api.get("/logs/recent", service_name=service, cursor=cursor, **other).fields == {"cursor"}
    assert api.get("/logs/recent", service_name=unique(), cursor=cursor).fields == {"cursor"}
    assert api.get("/logs/recent", cursor=cursor).fields == {"cursor"}


def test_a_cursor_altered_anywhere_is_400(api: Api, world: World) -> None:
    cursor = api.found("/logs/recent", service_name=world[0], limit=3)["nextCursor"]
    altered = [cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in range(0, len(cursor), 3)]

    for text in [*altered, cursor[:-1], cursor[1:], cursor + "A", cursor * 2, "null"]:
        reply = api.get("/logs/recent", service_name=world[0], cursor=text)
        assert (reply.status, reply.fields) == (400, {"cursor"})


@pytest.mark.parametrize("path", ["/logs/recent", "/logs/tail"])
@pytest.mark.parametrize("position", ["", "x", "9" * 16, "9" * 40, "0" * 16, "-1", "\u0661" * 16])
@pytest.mark.parametrize("bounds", [(0, 10**18), (-(10**18), -1), (10**18, 0)])
def test_a_cursor_forged_by_somebody_who_read_our_source_does_no_harm(
    api: Api, path: str, position: str, bounds: tuple[int, int]
) -> None:
    marks = fingerprint({"s": None, "t": None, "l": []})
    seal = CursorSeal("log_service/simple-log-service-logs-local")
    filters = f"{marks}.{fingerprint([None, None, None])}" if path == "/logs/recent" else marks
    forged = seal.close(Cursor("recent", position, filters, bounds))

    assert api.get(path, cursor=forged, limit=1).status in {200, 400}


def test_records_that_come_while_somebody_walks_do_not_disturb_the_walk(api: Api, service: str) -> None:
    api.post("/logs/batch", {"logs": [record(service, message=str(n)) for n in range(60)]})
    walked: list[str] = []

    for page in api.pages(service_name=service, limit=10):
        walked += [log["message"] for log in page["logs"]]
        api.post("/logs", record(service, message="meanwhile"))

    assert [message for message in walked if message != "meanwhile"] == [str(n) for n in range(59, -1, -1)]


def test_services_with_like_names_keep_apart(api: Api) -> None:
    base = unique()
    names = [base, base + ".", base + ":a", base + "/a", base.upper(), base + "-1"]
    for name in names:
        api.post("/logs", record(name, message=name))

    assert [[log["message"] for log in api.walk(service_name=name)] for name in names] == [[name] for name in names]


@pytest.mark.parametrize("ahead", [timedelta(hours=1, minutes=59), timedelta(seconds=5)])
def test_records_ahead_of_time_are_found(api: Api, service: str, ahead: timedelta) -> None:
    moment = (datetime.now(UTC) + ahead).isoformat()

    assert api.post("/logs", record(service, timestamp=moment)).status == 201
    assert len(api.walk(service_name=service)) == 1


def test_a_record_more_than_two_hours_ahead_or_older_than_the_retention_is_400(api: Api, service: str) -> None:
    for shift in (timedelta(hours=2, minutes=1), timedelta(days=-90, minutes=-1)):
        reply = api.post("/logs", record(service, timestamp=(datetime.now(UTC) + shift).isoformat()))
        assert (reply.status, reply.fields) == (400, {"timestamp"})
    old = (datetime.now(UTC) - timedelta(days=89)).isoformat()
    assert api.post("/logs", record(service, timestamp=old)).status == 201
    assert len(api.walk(service_name=service, since=(datetime.now(UTC) - timedelta(days=90)).isoformat())) == 1
