"""What is read from a log store, on every backend: order, pages, questions, bounds, budgets."""

import itertools

import pytest

from log_service.chalicelib.domain import DAY_US, HOUR_US, Filters, Retention, at
from log_service.chalicelib.store import Span
from tests.fakes.clock import NOON
from tests.log_service.builders import EVERYTHING, a_record, keep, positions, rows_of, span_of_days, walk, wanted
from tests.log_service.sample import MIDNIGHT, QUESTIONS, RARE, SAMPLE, big_sample
from tests.log_service.store_contract import World

SHORT = Retention(default_days=1)


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest", "oldest"])
@pytest.mark.parametrize("filters", QUESTIONS.values(), ids=QUESTIONS)
def test_a_walk_meets_every_wanted_record_exactly_once_in_order(
    sampled: World, filters: Filters, *, newest_first: bool
) -> None:
    span = span_of_days(3)
    expected = wanted(SAMPLE, filters, span)[:: -1 if newest_first else 1]

    for size in (3, 1000) if newest_first else (7,):
        pages = walk(sampled.store, filters, span, size, newest_first=newest_first)

        assert positions(pages) == expected
        assert all(len(page.rows) == size or page.partial for page in pages[:-1])


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest", "oldest"])
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_a_walk_of_everything_goes_by_pages_of_any_size(sampled: World, size: int, *, newest_first: bool) -> None:
    span = span_of_days(1)

    pages = walk(sampled.store, EVERYTHING, span, size, newest_first=newest_first)

    assert positions(pages) == wanted(SAMPLE, EVERYTHING, span)[:: -1 if newest_first else 1]
    assert [len(page.rows) for page in pages[:-1]] == [size] * (len(pages) - 1)


def test_a_row_is_the_record_as_it_was_kept(sampled: World) -> None:
    record = SAMPLE[5]

    row = sampled.store.newest(EVERYTHING, Span(at(record.instant), record.position + "~"), 1).rows[0]

    assert row == {
        "sk": record.position,
        "service_name": record.service_name,
        "timestamp": record.timestamp,
        "log_id": record.log_id,
        "log_type": record.log_type,
        "level": record.level.name,
        "message": record.message,
        "metadata": record.metadata,
    }


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest", "oldest"])
def test_the_bounds_of_a_span_are_excluded_and_nothing_else_is(sampled: World, *, newest_first: bool) -> None:
    ordered = sorted(record.position for record in SAMPLE)

    for after, before in itertools.pairwise(ordered[::6]):
        pages = walk(sampled.store, EVERYTHING, Span(after, before), 3, newest_first=newest_first)

        inside = [position for position in ordered if after < position < before]
        assert sorted(positions(pages)) == inside


def test_a_span_between_two_neighbours_is_empty(sampled: World) -> None:
    ordered = sorted(record.position for record in SAMPLE)

    found = sampled.store.newest(EVERYTHING, Span(ordered[3], ordered[4]), 10)

    assert (list(found.rows), found.resume) == ([], None)


def test_a_span_that_ends_before_it_begins_is_empty(sampled: World) -> None:
    found = sampled.store.oldest(EVERYTHING, Span(at(NOON), at(NOON - DAY_US)), 10)

    assert (list(found.rows), found.resume) == ([], None)


def test_midnight_parts_the_days_and_not_the_answer(sampled: World) -> None:
    around = Span(at(MIDNIGHT - 1), at(MIDNIGHT + 2))

    found = sampled.store.newest(EVERYTHING, around, 10)

    instants = [int(str(row["sk"])[:16]) - MIDNIGHT for row in found.rows]
    assert instants == [1, 0, -1]


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest", "oldest"])
def test_a_walk_meets_all_that_was_there_once_while_others_write(world: World, *, newest_first: bool) -> None:
    before = [a_record(n, service_name=f"s{n % 3}", instant=NOON - n * HOUR_US) for n in range(20)]
    keep(world.store, *before)
    span, met = span_of_days(2), list[str]()

    for number in itertools.count(100):
        page = (world.store.newest if newest_first else world.store.oldest)(EVERYTHING, span, 3)
        met += [str(row["sk"]) for row in page.rows]
        keep(world.store, a_record(number, instant=NOON - number), a_record(number, instant=NOON - 20 * HOUR_US))
        if page.resume is None:
            break
        span = Span(span.after, page.resume) if newest_first else Span(page.resume, span.before)

    assert len(met) == len(set(met))
    assert set(met) >= {record.position for record in before}
    assert met == sorted(met, reverse=newest_first)


def test_records_that_expired_are_not_shown_although_the_store_still_has_them(world: World) -> None:
    world.clock.us = NOON - 2 * DAY_US
    keep(world.store, a_record(1, instant=NOON - 2 * DAY_US), retention=SHORT)
    keep(world.store, a_record(2, instant=NOON - 100 * DAY_US), a_record(3, instant=NOON - 89 * DAY_US))
    world.clock.us = NOON

    found = walk(world.store, Filters(service_name="payments"), span_of_days(101), 10, newest_first=True)

    shown = [row["log_id"][-1] for row in rows_of(found)]
    assert "2" not in shown
    assert "3" in shown


def test_a_filter_that_no_index_serves_ends_a_page_early_and_says_so(big: World) -> None:
    found = big.store.newest(Filters(log_type=RARE), span_of_days(1), 100)

    assert found.partial
    assert 0 < len(found.rows) < 100
    assert 4_500 <= found.evaluated <= 5_250
    assert found.resume is not None


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest", "oldest"])
def test_partial_pages_lead_to_every_record(big: World, *, newest_first: bool) -> None:
    filters, span = Filters(log_type=RARE), span_of_days(1)

    pages = walk(big.store, filters, span, 100, newest_first=newest_first)

    assert positions(pages) == wanted(big_sample(8_000), filters, span)[:: -1 if newest_first else 1]
    assert len(pages) <= 4


def test_pages_of_what_an_index_serves_are_full(big: World) -> None:
    for filters in (Filters(service_name="payments"), EVERYTHING, QUESTIONS["severe levels"]):
        found = big.store.newest(filters, span_of_days(1), 500)

        assert len(found.rows) == 500
        assert not found.partial


def test_a_page_of_long_records_ends_before_an_answer_of_lambda_would_burst(world: World) -> None:
    long = [a_record(n, message="é" * 32_000, instant=NOON - n) for n in range(60)]
    keep(world.store, *long)

    pages = walk(world.store, Filters(service_name="payments"), span_of_days(1), 1000, newest_first=True)

    assert positions(pages) == wanted(long, EVERYTHING, span_of_days(1))[::-1]
    assert pages[0].partial
    assert sum(len(row["message"].encode()) for row in pages[0].rows) < 3.2 * 1024 * 1024
