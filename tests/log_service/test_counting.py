"""Counting what the stream tells, and what senders are told."""

import json

import pytest

from common.errors import Unavailable, ValidationFailed
from common.events import Inserted
from log_service.chalicelib.domain import DAY_US, HOUR_US, Level, Record, Verdict
from log_service.chalicelib.schemas import CreatedOut, batch_json
from log_service.chalicelib.service import count_records
from log_service.chalicelib.store import Seen
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.log_store import FakeRegister
from tests.log_service.builders import a_record


def told(*records: Record) -> list[Inserted]:
    return [
        Inserted(f"event-{r.log_id}", {"service_name": r.service_name, "sk": r.position, "level": r.level.name})
        for r in records
    ]


def test_new_records_are_counted_by_service_hour_and_level() -> None:
    register = FakeRegister()
    batch = told(
        a_record(1), a_record(2), a_record(3, level=Level.ERROR), a_record(4, service_name="orders"),
        a_record(5, instant=NOON - HOUR_US),
    )  # fmt: skip

    counted = count_records(register, batch, FakeClock())

    assert counted == 5
    assert register.tallies == {
        ("payments", "2026020312", Level.INFO): 2,
        ("payments", "2026020312", Level.ERROR): 1,
        ("orders", "2026020312", Level.INFO): 1,
        ("payments", "2026020311", Level.INFO): 1,
    }
    assert register.services() == [Seen("orders", NOON, NOON), Seen("payments", NOON - HOUR_US, NOON)]


def test_a_batch_that_is_delivered_again_is_not_counted_again() -> None:
    register, batch = FakeRegister(), told(a_record(1), a_record(2))

    assert [count_records(register, batch, FakeClock()) for _ in range(3)] == [2, 0, 0]
    assert register.tallies == {("payments", "2026020312", Level.INFO): 2}


def test_old_records_are_seen_and_not_counted() -> None:
    register = FakeRegister()

    count_records(register, told(a_record(1, instant=NOON - 3 * DAY_US)), FakeClock())

    assert register.tallies == {}
    assert register.services() == [Seen("payments", NOON - 3 * DAY_US, NOON - 3 * DAY_US)]


def test_a_batch_without_new_records_asks_nothing_of_the_store() -> None:
    assert count_records(FakeRegister(down=True), [], FakeClock()) == 0


def test_a_store_that_is_down_makes_the_stream_deliver_again() -> None:
    with pytest.raises(Unavailable):
        count_records(FakeRegister(down=True), told(a_record(1)), FakeClock())


def test_a_batch_is_answered_record_by_record() -> None:
    verdicts = [Verdict("stored", "a"), Verdict("duplicate", "a"), Verdict("rejected", None, "bad", retryable=True)]

    body = json.loads(batch_json(verdicts))

    assert (body["accepted"], body["duplicate"], body["rejected"]) == (1, 1, 1)
    assert [result["index"] for result in body["results"]] == [0, 1, 2]
    assert body["results"][2] == {
        "index": 2, "status": "rejected", "log_id": None, "error": "bad", "retryable": True,
    }  # fmt: skip


def test_a_batch_of_bad_records_only_is_refused_with_the_same_fields() -> None:
    with pytest.raises(ValidationFailed) as raised:
        batch_json([Verdict("rejected", None, "bad")] * 2)

    assert raised.value.fields["rejected"] == 2
    assert raised.value.fields.keys() == {"accepted", "duplicate", "rejected", "results"}


def test_duplicate_stands_in_an_answer_only_when_it_is_true() -> None:
    created = CreatedOut(log_id="a", timestamp="t")

    assert json.loads(created.model_dump_json(exclude_none=True)) == {
        "message": "Log entry created successfully", "log_id": "a", "timestamp": "t",
    }  # fmt: skip
