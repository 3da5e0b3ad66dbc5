"""Positions and the days that a question touches."""

from hypothesis import given
from hypothesis import strategies as st

from log_service.chalicelib.domain import DAY_US, LAST_INSTANT, at, instant_of
from log_service.chalicelib.store import DynamoLogStore, Span, Tables
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.dynamodb import FakeDynamoDB
from tests.log_service.builders import EVERYTHING, RETENTION, a_record, keep


@given(st.integers(-(10**18), 10**18), st.integers(-(10**18), 10**18))
def test_positions_sort_as_the_instants_do_however_far_away(one: int, other: int) -> None:
    earlier, later = sorted([one, other])

    assert at(earlier) <= at(later)
    assert instant_of(at(later)) == min(max(later, 0), LAST_INSTANT)


def test_a_position_stands_after_all_records_before_its_instant_and_before_all_of_it() -> None:
    record = a_record(1, instant=NOON)

    assert at(NOON) < record.position < at(NOON + 1)
    assert a_record(1, instant=NOON - 1).position < at(NOON)


def test_a_span_that_ends_at_midnight_asks_nothing_of_the_day_that_begins() -> None:
    client = FakeDynamoDB()
    store = DynamoLogStore(client, Tables("logs", 4), RETENTION, FakeClock())  # type: ignore[arg-type]  # a fake
    midnight = NOON - NOON % DAY_US
    keep(store, a_record(1, instant=midnight - 1), a_record(2, instant=midnight))

    found = store.newest(EVERYTHING, Span(at(midnight - DAY_US), at(midnight)), 10)

    assert [row["sk"] for row in found.rows] == [a_record(1, instant=midnight - 1).position]
    assert len(client.requests) == 4
