"""Taking records in: what is kept, what is refused, and what each is told."""

from dataclasses import dataclass

import pytest

from common.errors import PayloadTooLarge, TooManyRequests, Unavailable, ValidationFailed
from log_service.chalicelib.domain import DAY_US, HOUR_US, Record, Verdict, derived_id, parse_instant
from log_service.chalicelib.schemas import Fault, LogIn
from log_service.chalicelib.service import Ingest, Sender
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.log_store import FakeLogStore
from tests.log_service.builders import RETENTION

LOG_ID = "0b5c0f4e-5f0c-4e0e-8f6b-2f6e1f3c1a11"
LOCAL = Sender("local")


@dataclass
class Intake:
    ingest: Ingest
    store: FakeLogStore
    clock: FakeClock

    @property
    def records(self) -> list[Record]:
        return sorted(self.store.records, key=lambda record: record.instant)


@pytest.fixture
def intake() -> Intake:
    clock = FakeClock()
    store = FakeLogStore(clock)
    return Intake(Ingest(store, RETENTION, clock), store, clock)


def an_entry(**fields: object) -> LogIn:
    plain = {"service_name": "payments", "log_type": "application", "level": "INFO", "message": "taken"}
    return LogIn.model_validate({**plain, **fields})


def statuses(verdicts: list[Verdict]) -> list[str]:
    return [verdict.status for verdict in verdicts]


def test_a_record_gets_the_instant_an_id_and_its_caller(intake: Intake) -> None:
    answer = intake.ingest.one(an_entry(metadata={"b": 1, "a": 2}), Sender("arn:aws:iam::123456789012:user/u"))

    (record,) = intake.records
    assert (record.instant, record.caller) == (NOON, "arn:aws:iam::123456789012:user/u")
    assert record.metadata == '{"a":2,"b":1}'
    assert (answer.log_id, answer.timestamp) == (record.log_id, "2026-02-03T12:00:00.000000Z")
    assert answer.duplicate is None


def test_the_same_record_again_is_a_duplicate(intake: Intake) -> None:
    entry = an_entry(log_id=LOG_ID, timestamp="2026-02-03T11:00:00+00:00")

    first, second = intake.ingest.one(entry, LOCAL), intake.ingest.one(entry, LOCAL)

    assert (first.duplicate, second.duplicate) == (None, True)
    assert len(intake.records) == 1


def test_one_log_id_with_other_content_or_another_caller_keeps_both(intake: Intake) -> None:
    for entry, sender in (("a", LOCAL), ("b", LOCAL), ("a", Sender("somebody else"))):
        answer = intake.ingest.one(an_entry(log_id=LOG_ID, timestamp="2026-02-03T11:00:00Z", message=entry), sender)
        assert answer.duplicate is None

    assert len(intake.records) == 3


def test_equal_lines_without_an_id_never_merge(intake: Intake) -> None:
    verdicts = intake.ingest.many([an_entry(timestamp="2026-02-03T11:00:00Z")] * 3, LOCAL)

    assert statuses(verdicts) == ["stored"] * 3
    assert len(intake.records) == 3


@pytest.mark.parametrize("timestamp", ["2026-02-03T14:00:00.000001Z", "2025-11-05T11:59:59.999999Z"])
def test_a_timestamp_too_far_ahead_or_too_old_is_refused_by_name(intake: Intake, timestamp: str) -> None:
    entry = an_entry(timestamp=timestamp)

    with pytest.raises(ValidationFailed) as raised:
        intake.ingest.one(entry, LOCAL)
    verdicts = intake.ingest.many([entry, an_entry()], LOCAL)

    assert raised.value.details[0].field == "timestamp"
    assert statuses(verdicts) == ["rejected", "stored"]
    assert verdicts[0].error == f"timestamp: {raised.value.details[0].message}"


@pytest.mark.parametrize("timestamp", ["2026-02-03T14:00:00Z", "2025-11-05T12:00:00Z"])
def test_a_timestamp_at_the_border_is_taken(intake: Intake, timestamp: str) -> None:
    intake.ingest.one(an_entry(timestamp=timestamp), LOCAL)

    assert intake.records[0].instant == parse_instant(timestamp)
    assert intake.records[0].instant in {NOON + 2 * HOUR_US, NOON - 90 * DAY_US}


def test_a_record_over_256_kib_is_too_large_alone_and_rejected_in_a_batch(intake: Intake) -> None:
    entry = an_entry(metadata={"blob": "x" * 262_144})

    with pytest.raises(PayloadTooLarge):
        intake.ingest.one(entry, LOCAL)
    verdicts = intake.ingest.many([entry, an_entry()], LOCAL)

    assert statuses(verdicts) == ["rejected", "stored"]
    assert not verdicts[0].retryable


def test_records_without_a_timestamp_keep_their_order(intake: Intake) -> None:
    intake.ingest.many([an_entry(message=str(number)) for number in range(50)], LOCAL)

    assert [record.message for record in intake.records] == [str(number) for number in range(50)]
    assert intake.records[0].instant == NOON


def test_one_bad_record_never_refuses_the_others(intake: Intake) -> None:
    entries: list[LogIn | Fault] = [
        an_entry(message="1"),
        Fault("level: must be a text", LOG_ID),
        an_entry(message="2"),
        Fault("bad"),
    ]

    verdicts = intake.ingest.many(entries, LOCAL)

    assert statuses(verdicts) == ["stored", "rejected", "stored", "rejected"]
    assert verdicts[1] == Verdict("rejected", LOG_ID, "level: must be a text", retryable=False)
    assert [record.message for record in intake.records] == ["1", "2"]


@pytest.mark.parametrize("timestamp", ["2026-02-03T11:00:00Z", None])
def test_a_record_twice_in_a_batch_is_one_also_without_a_timestamp(intake: Intake, timestamp: str | None) -> None:
    twice = an_entry(log_id=LOG_ID, timestamp=timestamp)
    other = an_entry(log_id=LOG_ID, timestamp=timestamp, message="other")

    verdicts = intake.ingest.many([twice, other, an_entry(), twice, other], LOCAL)

    assert statuses(verdicts) == ["stored", "stored", "stored", "duplicate", "duplicate"]
    assert len(intake.records) == 3


def test_a_record_that_the_store_has_no_room_for_is_worth_sending_again(intake: Intake) -> None:
    intake.store.has_room = lambda record: record.message != "2"
    entries = [an_entry(message=str(number)) for number in range(4)]

    verdicts = intake.ingest.many(entries, LOCAL)

    assert statuses(verdicts) == ["stored", "stored", "rejected", "stored"]
    assert [verdict.retryable for verdict in verdicts] == [False, False, True, False]
    assert len(intake.records) == 3


def test_a_duplicate_of_a_record_that_found_no_room_is_no_duplicate(intake: Intake) -> None:
    intake.store.has_room = lambda record: record.log_id != LOG_ID
    entry = an_entry(log_id=LOG_ID)

    verdicts = intake.ingest.many([entry, an_entry(), entry], LOCAL)

    assert statuses(verdicts) == ["rejected", "stored", "rejected"]


def test_a_store_with_no_room_at_all_is_busy(intake: Intake) -> None:
    intake.store.has_room = lambda _: False

    with pytest.raises(TooManyRequests):
        intake.ingest.many([an_entry(), Fault("bad")], LOCAL)


def test_whoever_repeats_all_or_nothing_hears_of_one_record_without_room(intake: Intake) -> None:
    intake.store.has_room = lambda record: record.message != "2"
    entries = [an_entry(message=str(number)) for number in range(4)]

    with pytest.raises(TooManyRequests):
        intake.ingest.whole(entries, LOCAL)
    intake.store.has_room = lambda _: True

    assert statuses(intake.ingest.whole(entries, LOCAL)) == ["stored"] * 4


def test_a_store_that_is_down_is_said(intake: Intake) -> None:
    intake.store.down = True

    for ask in (lambda: intake.ingest.one(an_entry(), LOCAL), lambda: intake.ingest.many([an_entry()], LOCAL)):
        with pytest.raises(Unavailable):
            ask()


def test_under_an_idempotency_key_a_second_attempt_writes_the_very_same_records(intake: Intake) -> None:
    first_seen = NOON - 5_000_000
    sender = Sender("local", "key-1", lambda: first_seen)
    entries = [an_entry(message=str(number)) for number in range(3)]

    intake.ingest.many(entries, sender)
    intake.clock.advance(60)
    intake.ingest.many(entries, sender)

    assert [record.instant for record in intake.records] == [first_seen, first_seen + 1, first_seen + 2]
    assert [record.log_id for record in intake.records] == [derived_id("local", "key-1", n) for n in range(3)]


def test_the_first_instant_is_asked_only_when_a_record_needs_it(intake: Intake) -> None:
    def asked() -> int:
        raise AssertionError

    intake.ingest.one(an_entry(timestamp="2026-02-03T11:00:00Z"), Sender("local", "key-1", asked))

    assert len(intake.records) == 1
