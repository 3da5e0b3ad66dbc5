"""Finding records: windows, cursors, tails, services."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from common.clock import rfc3339
from common.errors import ValidationFailed
from common.web.cursor import CursorSeal
from log_service.chalicelib.domain import DAY_US, HOUR_US, SECOND_US, Level
from log_service.chalicelib.schemas import RecentQuery, TailQuery
from log_service.chalicelib.service import Reader
from log_service.chalicelib.store import Seen, Tally
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.log_store import FakeLogStore, FakeRegister
from tests.log_service.builders import RETENTION, a_record, keep

type Json = dict[str, Any]


@dataclass
class Desk:
    reader: Reader
    store: FakeLogStore
    register: FakeRegister
    clock: FakeClock

    def recent(self, **question: object) -> Json:
        return dict(json.loads(self.reader.recent(RecentQuery.model_validate(question))))

    def tail(self, **question: object) -> Json:
        return dict(json.loads(self.reader.tail(TailQuery.model_validate(question))))

    def write(self, *messages: str, ago: float = 0, **fields: object) -> None:
        instant = self.clock.us - round(ago * SECOND_US)
        keep(self.store, *(a_record(self.clock.ids, message=m, instant=instant, **fields) for m in messages))
        self.clock.new_id()


@pytest.fixture
def desk() -> Desk:
    clock = FakeClock()
    store, register = FakeLogStore(clock), FakeRegister()
    return Desk(Reader(store, register, RETENTION, clock, CursorSeal("test")), store, register, clock)


def messages(page: Json) -> list[str]:
    return [str(log["message"]) for log in page["logs"]]


def test_a_page_shows_the_plain_fields_of_each_record(desk: Desk) -> None:
    keep(desk.store, a_record(7, metadata='{"a":[1,2.5,null]}'))

    page = desk.recent()

    assert page == {
        "count": 1,
        "logs": [
            {
                "service_name": "payments",
                "timestamp": "2026-02-03T12:00:00.000000Z",
                "log_id": "00000000-0000-4000-8000-000000000007",
                "log_type": "application",
                "level": "INFO",
                "message": "taken",
                "metadata": {"a": [1, 2.5, None]},
            }
        ],
        "nextCursor": None,
    }


def test_recent_is_the_last_day_and_what_is_up_to_two_hours_ahead(desk: Desk) -> None:
    for message, hours in (("ahead", -2), ("now", 0), ("a day ago", 24)):
        desk.write(message, ago=hours * 3600)
    desk.write("too old", ago=24 * 3600 + 0.000001)

    assert messages(desk.recent()) == ["ahead", "now", "a day ago"]


def test_hours_reach_further_back(desk: Desk) -> None:
    desk.write("old", ago=167 * 3600)

    assert messages(desk.recent(hours="168")) == ["old"]
    assert messages(desk.recent(hours="166")) == []


def test_since_and_until_are_both_included(desk: Desk) -> None:
    for number in range(5):
        keep(desk.store, a_record(number, message=str(number), instant=NOON - 5 + number))

    page = desk.recent(since=rfc3339(NOON - 4), until=rfc3339(NOON - 2))

    assert messages(page) == ["3", "2", "1"]


def test_until_alone_reaches_a_day_back_from_there(desk: Desk) -> None:
    desk.write("inside", ago=47 * 3600)
    desk.write("outside", ago=49 * 3600)

    assert messages(desk.recent(until=rfc3339(NOON - DAY_US))) == ["inside"]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"hours": "1", "since": rfc3339(NOON)}, "hours"),
        ({"since": rfc3339(NOON), "until": rfc3339(NOON - 1)}, "since"),
        ({"since": "2290-01-01T00:00:00Z"}, "since"),
        ({"level": ["DEBUG"], "min_level": "WARN"}, "min_level"),
    ],
)
def test_a_question_that_contradicts_itself_is_refused_by_name(desk: Desk, question: Json, field: str) -> None:
    with pytest.raises(ValidationFailed) as raised:
        desk.recent(**question)

    assert raised.value.details[0].field == field


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2290-01-01T00:00:00Z", "2295-01-01T00:00:00Z"),
        ("9999-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"),
        ("0001-01-01T00:00:00+23:59", "0001-01-02T00:00:00Z"),
        ("1969-01-01T00:00:00Z", "1970-01-02T00:00:00Z"),
    ],
)
def test_a_time_without_records_has_none_however_far_away(desk: Desk, since: str, until: str) -> None:
    desk.write("now")

    assert desk.recent(since=since, until=until)["logs"] == []


def test_a_walk_by_cursor_meets_all_once_while_others_write_and_time_passes(desk: Desk) -> None:
    for number in range(10):
        desk.write(f"old {number}", ago=number + 1)

    first = desk.recent(limit="4")
    desk.clock.advance(3600)
    desk.write("new")
    second = desk.recent(limit="100", cursor=first["nextCursor"])

    assert messages(first) + messages(second) == [f"old {number}" for number in range(10)]


def test_a_cursor_goes_with_its_filters_but_any_limit(desk: Desk) -> None:
    desk.write("1", "2", "3")
    cursor = desk.recent(limit="1")["nextCursor"]

    assert len(desk.recent(limit="2", cursor=cursor)["logs"]) == 2
    for other in ({"service_name": "payments"}, {"level": ["INFO"]}, {"hours": "3"}, {"log_type": "audit"}):
        with pytest.raises(ValidationFailed, match="cursor"):
            desk.recent(cursor=cursor, **other)


def test_every_named_level_is_the_same_question_as_none(desk: Desk) -> None:
    desk.write("1", "2", "3")
    cursor = desk.recent(limit="1", level=["INFO", "ERROR"])["nextCursor"]

    page = desk.recent(cursor=cursor, level=["error", "Info"])

    assert page["count"] == 2


def test_recent_refuses_the_cursor_of_a_tail(desk: Desk) -> None:
    cursor = desk.tail()["nextCursor"]

    with pytest.raises(ValidationFailed, match="cursor"):
        desk.recent(cursor=cursor)


def test_a_tail_starts_now_and_follows_two_seconds_behind(desk: Desk) -> None:
    desk.write("before", ago=1)
    cursor = desk.tail()["nextCursor"]
    desk.write("after")
    desk.clock.advance(1.9)
    early = desk.tail(cursor=cursor)
    desk.clock.advance(0.2)

    late = desk.tail(cursor=early["nextCursor"])

    assert (messages(early), messages(late)) == ([], ["after"])


def test_a_tail_loses_nothing_and_repeats_nothing_across_polls(desk: Desk) -> None:
    cursor = desk.tail()["nextCursor"]
    met: list[str] = []
    written: list[str] = []
    for number in range(60):
        for late in (0, 1.5):
            text = f"{number}-{late}"
            desk.write(text, ago=late if number > 4 else 0)
            written.append(text)
        desk.clock.advance(0.37)
        page = desk.tail(cursor=cursor, limit="3")
        assert page["nextCursor"]
        met += messages(page)
        cursor = page["nextCursor"]
    desk.clock.advance(3)

    met += messages(desk.tail(cursor=cursor, limit="1000"))

    assert sorted(met) == sorted(written)


def test_a_tail_is_oldest_first(desk: Desk) -> None:
    cursor = desk.tail()["nextCursor"]
    for text in ("1", "2", "3"):
        desk.clock.advance(1)
        desk.write(text)
    desk.clock.advance(3)

    assert messages(desk.tail(cursor=cursor)) == ["1", "2", "3"]


def test_a_tail_goes_on_where_a_page_of_recent_records_ended(desk: Desk) -> None:
    for ago in (30, 20, 10):
        desk.write(f"{ago} s ago", ago=ago)
    page = desk.recent(limit="2")

    following = desk.tail(cursor=page["nextCursor"])

    assert messages(page) == ["10 s ago", "20 s ago"]
    assert messages(following) == ["10 s ago"]


def test_a_tail_refuses_a_cursor_of_other_filters(desk: Desk) -> None:
    cursor = desk.tail(service_name="payments")["nextCursor"]

    with pytest.raises(ValidationFailed, match="cursor"):
        desk.tail(cursor=cursor, service_name="orders")


def test_a_waiting_tail_answers_with_the_first_record_that_comes(desk: Desk) -> None:
    cursor = desk.tail()["nextCursor"]
    desk.clock.during_pause = lambda: desk.write("came") if len(desk.clock.pauses) == 4 else None

    page = desk.tail(cursor=cursor, wait="20")

    assert messages(page) == ["came"]
    assert 3.5 <= sum(desk.clock.pauses) <= 4.5


@pytest.mark.parametrize("wait", ["0", "0.3", "1", "20"])
def test_a_tail_without_records_answers_when_the_wait_is_over(desk: Desk, wait: str) -> None:
    page = desk.tail(wait=wait)

    assert (page["count"], bool(page["nextCursor"])) == (0, True)
    assert sum(desk.clock.pauses) == pytest.approx(float(wait))
    assert all(pause > 0 for pause in desk.clock.pauses)


def test_services_are_counted_over_the_last_24_hours_to_the_hour(desk: Desk) -> None:
    tallies = [
        Tally("payments", "2026020312", Level.INFO, 1),
        Tally("payments", "2026020212", Level.ERROR, 10),
        Tally("payments", "2026020211", Level.ERROR, 100),
    ]
    desk.register.add(
        "batch", tallies, [Seen("payments", NOON - DAY_US, NOON), Seen("a", NOON - DAY_US, NOON - HOUR_US)], NOON
    )

    found = desk.reader.services().model_dump()

    assert found == {
        "services": [
            {
                "service_name": "a",
                "first_seen": "2026-02-02T12:00:00.000000Z",
                "last_seen": "2026-02-03T11:00:00.000000Z",
                "levels": {},
            },
            {
                "service_name": "payments",
                "first_seen": "2026-02-02T12:00:00.000000Z",
                "last_seen": "2026-02-03T12:00:00.000000Z",
                "levels": {"INFO": 1, "ERROR": 10},
            },
        ],
        "count": 2,
    }


def test_a_service_of_which_no_record_is_kept_any_more_is_forgotten(desk: Desk) -> None:
    desk.register.add("batch", [], [Seen("gone", 0, HOUR_US), Seen("kept", 0, NOON)], NOON)

    found = desk.reader.services()

    assert [service.service_name for service in found.services] == ["kept"]
