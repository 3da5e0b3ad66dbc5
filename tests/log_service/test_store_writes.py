"""What is written to a log store and a register, on every backend."""

import itertools
from typing import Any

import pytest

from common.dynamodb import query_all
from common.errors import ApplicationError
from log_service.chalicelib.domain import DAY_US, HOUR_US, SECOND_US, Filters, Level
from log_service.chalicelib.store import DynamoLogStore, Seen, Tables, Tally
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.dynamodb import FakeDynamoDB
from tests.log_service.builders import EVERYTHING, RETENTION, a_record, keep, positions, span_of_days, walk
from tests.log_service.sample import QUESTIONS, big_sample
from tests.log_service.store_contract import DECLARED, SHARDS, World

EXPIRES = NOON // SECOND_US + 90 * 86_400
TALLIES = [Tally("orders", "2026020312", Level.INFO, 3), Tally("payments", "2026020311", Level.WARN, 2)]
SEEN = [Seen("orders", NOON - 9, NOON - 1), Seen("payments", NOON - HOUR_US, NOON)]


def shown(world: World, filters: Filters = EVERYTHING) -> list[str]:
    return positions(walk(world.store, filters, span_of_days(2), 100, newest_first=True))


def test_a_record_written_twice_is_one_and_the_second_write_says_so(world: World) -> None:
    record = a_record(1)

    first, second = world.store.add(record, EXPIRES), world.store.add(record, EXPIRES)

    assert (first, second) == (True, False)
    assert shown(world) == [record.position]


def test_a_batch_written_twice_or_after_its_record_adds_nothing(world: World) -> None:
    records = [a_record(number, level=Level.ERROR) for number in range(30)]
    world.store.add(records[7], EXPIRES)

    keep(world.store, *records)
    keep(world.store, *records)

    assert shown(world) == sorted((record.position for record in records), reverse=True)
    assert shown(world, QUESTIONS["severe levels"]) == shown(world)
    assert world.store.add(records[3], EXPIRES) is False


def test_records_of_one_log_id_and_instant_with_other_content_are_both_kept(world: World) -> None:
    twins = [a_record(1, message="one"), a_record(1, message="two"), a_record(1, caller="arn:aws:iam::1:user/x")]

    keep(world.store, *twins)

    assert len(shown(world)) == 3


def test_a_batch_counts_once_however_often_it_is_given(world: World) -> None:
    first = world.register.add("batch-1", TALLIES, SEEN, NOON)
    again = world.register.add("batch-1", TALLIES, SEEN, NOON)
    other = world.register.add("batch-2", TALLIES[:1], SEEN[:1], NOON)

    assert (first, again, other) == (True, False, True)
    counts = world.register.counts(["2026020311", "2026020312"])
    assert {name: dict(levels) for name, levels in counts.items()} == {
        "orders": {Level.INFO: 6},
        "payments": {Level.WARN: 2},
    }


def test_counts_are_of_the_hours_that_are_asked(world: World) -> None:
    tallies = [Tally("a", "2026020223", Level.INFO, 1), Tally("a", "2026020300", Level.INFO, 10)]
    tallies += [Tally("a", "2026020312", Level.ERROR, 100), Tally("b", "2026020312", Level.DEBUG, 1000)]
    world.register.add("batch", tallies, [], NOON)

    counts = world.register.counts(["2026020300", "2026020301", "2026020312"])

    assert dict(counts["a"]) == {Level.INFO: 10, Level.ERROR: 100}
    assert dict(counts["b"]) == {Level.DEBUG: 1000}


def test_a_service_was_seen_from_its_earliest_to_its_latest_record_in_any_order_of_batches(world: World) -> None:
    for number, order in enumerate(itertools.permutations([5, 1, 9])):
        for at in order:
            world.register.add(f"batch-{number}-{at}", [], [Seen(f"service-{number}", at, at + 2)], NOON)

    assert world.register.services() == [Seen(f"service-{number}", 1, 11) for number in range(6)]


def test_a_register_that_answers_is_alive(world: World) -> None:
    world.register.ping()

    assert world.register.services() == []


# ---- what a DynamoDB is asked ----------------------------------------------------------------------------------------


def test_records_cost_one_call_for_each_twenty_five(real_world: World) -> None:
    for records, calls in ((1, 1), (25, 1), (26, 2), (100, 4)):
        real_world.traffic.forget()

        real_world.store.add_many([(a_record(number), EXPIRES) for number in range(records)])

        assert real_world.traffic.calls == {"BatchWriteItem": calls}


def test_an_item_carries_when_it_may_be_forgotten_under_the_name_that_the_table_declares(real_world: World) -> None:
    record = a_record(1, level=Level.ERROR)
    keep(real_world.store, record)

    (item,) = query_all(
        real_world.client,
        {
            "TableName": real_world.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "payments#20260203"}},
        },
    )

    assert item[DECLARED["LogsTable"]["TimeToLiveSpecification"]["AttributeName"]] == EXPIRES
    assert RETENTION.expires_at(record) == EXPIRES
    assert item["caller"] == "local"


def test_records_that_are_not_severe_stay_out_of_the_indexes_of_severe_ones(real_world: World) -> None:
    keep(real_world.store, a_record(1), a_record(2, level=Level.WARN))

    for index in ("ServiceLevelIndex", "LevelIndex"):
        found = real_world.client.scan(TableName=real_world.table, IndexName=index)
        assert found["Count"] == 1


def evaluated(world: World, filters: Filters, limit: int) -> int:
    return world.store.newest(filters, span_of_days(1), limit).evaluated


@pytest.mark.parametrize("question", ["everything", "one service", "severe levels", "one service, severe levels"])
def test_a_page_evaluates_about_its_own_size_and_never_scans(big: World, question: str) -> None:
    filters = QUESTIONS[question]
    streams = 1 if filters.service_name else SHARDS * max(len(filters.levels), 1)
    big.traffic.forget()

    for limit in (1, 2, 7, 100, 500):
        assert evaluated(big, filters, limit) <= 2 * limit + streams

    assert set(big.traffic.calls) <= {"Query"}


def test_the_cost_of_a_page_does_not_grow_with_the_table(big: World) -> None:
    thousand = DynamoLogStore(FakeDynamoDB(), Tables("logs", SHARDS), RETENTION, FakeClock())  # type: ignore[arg-type]  # a fake
    keep(thousand, *big_sample(1_000))

    for question in ("everything", "one service", "severe levels"):
        small = thousand.newest(QUESTIONS[question], span_of_days(1), 50).evaluated

        assert evaluated(big, QUESTIONS[question], 50) <= 1.5 * small


def test_no_question_scans(real_world: World) -> None:
    keep(real_world.store, a_record(1))
    real_world.traffic.forget()

    for filters in QUESTIONS.values():
        real_world.store.newest(filters, span_of_days(2), 10)
        real_world.store.oldest(filters, span_of_days(2), 10)
    real_world.register.services()
    real_world.register.counts(["2026020311"])

    assert set(real_world.traffic.calls) == {"Query"}


def test_a_table_that_is_not_there_is_a_store_that_does_not_answer(real_world: World) -> None:
    real_world.client.delete_table(TableName=real_world.table)
    asks: list[Any] = [
        lambda: real_world.store.add(a_record(1), EXPIRES),
        lambda: real_world.store.add_many([(a_record(1), EXPIRES)]),
        lambda: real_world.store.newest(EVERYTHING, span_of_days(1), 1),
    ]

    for ask in asks:
        with pytest.raises(ApplicationError) as raised:
            ask()

        assert raised.value.status == 503
        assert "LogsTable" not in raised.value.message


def test_counters_of_old_days_are_forgotten_in_time(real_world: World) -> None:
    real_world.register.add("batch", TALLIES, SEEN, NOON)

    name = real_world.register.table  # type: ignore[attr-defined]  # a DynamoRegister
    items = real_world.client.scan(TableName=name)["Items"]

    assert len(items) == 5
    assert all(int(item["expires_at"]["N"]) * SECOND_US > NOON + DAY_US for item in items)
