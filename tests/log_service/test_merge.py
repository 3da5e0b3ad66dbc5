"""Merge against the plainest model there is: sort all, filter, cut."""

from collections.abc import Sequence
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_service.chalicelib.domain import DAY_US, Filters, Level, Record, at
from log_service.chalicelib.store import DynamoLogStore, Span, Tables, merge
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.dynamodb import FakeDynamoDB
from tests.log_service.builders import RETENTION, a_record, keep, positions, span_of_days, walk, wanted

MIDNIGHT = NOON - NOON % DAY_US
INSTANTS = st.one_of(
    st.integers(MIDNIGHT - 3, MIDNIGHT + 3), st.integers(MIDNIGHT - 2 * DAY_US, NOON), st.just(NOON - 5)
)
A_RECORD = st.builds(
    a_record,
    st.integers(0, 999),
    service_name=st.sampled_from(["a", "b", "a-b"]),
    log_type=st.sampled_from(["application", "application", "audit"]),
    level=st.sampled_from(Level),
    instant=INSTANTS,
)
RECORDS = st.integers(0, 60).flatmap(
    lambda size: st.lists(A_RECORD, min_size=size, max_size=60, unique_by=lambda record: record.position)
)
FILTERS = st.builds(
    Filters,
    st.sampled_from([None, "a", "b", "unknown"]),
    st.sampled_from([None, "application", "audit"]),
    st.frozensets(st.sampled_from(Level), max_size=3),
)
SPANS = st.one_of(
    st.just(span_of_days(3)), st.tuples(INSTANTS, INSTANTS).map(lambda pair: Span(at(min(pair)), at(max(pair))))
)
CAPS = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def a_store(records: Sequence[Record], caps: Sequence[int], *, coy: bool, shards: int) -> DynamoLogStore:
    hostile = cycle(caps)
    client = FakeDynamoDB(cap=lambda: next(hostile), coy=coy)
    store = DynamoLogStore(client, Tables("logs", shards), RETENTION, FakeClock())  # type: ignore[arg-type]  # a fake
    keep(store, *records)
    return store


@settings(max_examples=150, deadline=None)
@given(
    records=RECORDS,
    filters=FILTERS,
    span=SPANS,
    limit=st.integers(1, 12),
    caps=CAPS,
    coy=st.booleans(),
    newest_first=st.booleans(),
    shards=st.integers(1, 4),
    budget=st.integers(1, 40),
    most_queries=st.integers(1, 30),
)
def test_a_walk_meets_what_a_sorted_list_holds_whatever_the_pages_and_the_budgets(
    *,
    records: list[Record],
    filters: Filters,
    span: Span,
    limit: int,
    caps: list[int],
    coy: bool,
    newest_first: bool,
    shards: int,
    budget: int,
    most_queries: int,
) -> None:
    store = a_store(records, caps, coy=coy, shards=shards)

    with pytest.MonkeyPatch.context() as small:
        small.setattr(merge, "MOST_EVALUATED", budget)
        small.setattr(merge, "MOST_QUERIES", most_queries)
        pages = walk(store, filters, span, limit, newest_first=newest_first)

    expected = wanted(records, filters, span)
    assert positions(pages) == (expected[::-1] if newest_first else expected)
    assert all(len(page.rows) == limit or page.partial for page in pages[:-1])


@settings(max_examples=50, deadline=None)
@given(
    records=RECORDS,
    sizes=st.lists(st.integers(1, 500), min_size=1),
    limit=st.integers(1, 12),
    room=st.integers(1, 2000),
)
def test_a_walk_is_whole_when_pages_end_for_their_bytes(
    records: list[Record], sizes: list[int], limit: int, room: int
) -> None:
    heavy = [
        a_record(number, instant=r.instant, message="x" * size)
        for (number, r), size in zip(enumerate(records), cycle(sizes), strict=False)
    ]
    store = a_store(heavy, [1_000], coy=True, shards=2)
    span = span_of_days(3)

    with pytest.MonkeyPatch.context() as small:
        small.setattr(merge, "MOST_BYTES", room)
        pages = walk(store, Filters(), span, limit, newest_first=True)

    assert positions(pages) == wanted(heavy, Filters(), span)[::-1]
    assert all(page.rows for page in pages[:-1])
    assert all(len(page.rows) == limit or page.partial for page in pages[:-1])


@settings(max_examples=100, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(["audit", "audit", "application"]), min_size=20, max_size=100),
    budget=st.integers(5, 60),
    shards=st.integers(2, 4),
    newest_first=st.booleans(),
)
def test_a_budget_that_ends_between_unequal_streams_loses_nothing(
    *, kinds: list[str], budget: int, shards: int, newest_first: bool
) -> None:
    records = [a_record(number, log_type=kind, instant=NOON - number) for number, kind in enumerate(kinds)]
    store = a_store(records, [1_000], coy=True, shards=shards)
    filters, span = Filters(log_type="audit"), span_of_days(0.1)

    with pytest.MonkeyPatch.context() as small:
        small.setattr(merge, "MOST_EVALUATED", budget)
        small.setattr(merge, "LEAST_FETCHED", 1)
        pages = walk(store, filters, span, 10, newest_first=newest_first)

    assert positions(pages) == wanted(records, filters, span)[:: -1 if newest_first else 1]
