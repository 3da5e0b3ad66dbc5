"""What a log record is: levels, instants, identity, retention, filters."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import EPOCH, rfc3339, to_us
from log_service.chalicelib.domain import (
    DAY_US,
    HOUR_US,
    LARGEST_RECORD_BYTES,
    NAMES,
    OVERHEAD_BYTES,
    Filters,
    Level,
    Retention,
    day_of,
    days_between,
    derived_id,
    hour_of,
    instant_of,
    level_of,
    parse_instant,
    start_of_day,
    wanted_levels,
)
from tests.fakes.clock import NOON
from tests.log_service.builders import a_record

OFFSETS = st.integers(-(24 * 60 - 1), 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.tuples(st.integers(2 * 86_400, 9_998 * 365 * 86_400), st.integers(0, 999_999), OFFSETS).map(
    lambda parts: (datetime(1, 1, 1, tzinfo=UTC) + timedelta(seconds=parts[0], microseconds=parts[1])).astimezone(
        parts[2]
    )
)


@pytest.mark.parametrize(("name", "level"), NAMES.items())
def test_a_level_is_known_in_any_case(name: str, level: Level) -> None:
    assert level_of(name.lower()) is level_of(name.title()) is level


@pytest.mark.parametrize("name", ["", "NOTICE", "INFO ", "\u0131nfo", "9", "WARN\n"])
def test_an_unknown_level_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match="TRACE, DEBUG, INFO, WARN, ERROR, FATAL"):
        level_of(name)


def test_warn_and_above_are_severe() -> None:
    assert [level for level in Level if level.is_severe] == [Level.WARN, Level.ERROR, Level.FATAL]


@given(MOMENTS)
def test_what_datetime_writes_is_read_to_the_microsecond(moment: datetime) -> None:
    assert parse_instant(moment.isoformat(timespec="microseconds")) == to_us(moment)


@given(st.integers(to_us(datetime(1, 1, 1, tzinfo=UTC)), to_us(datetime(9999, 12, 31, tzinfo=UTC))))
def test_what_we_write_we_read(instant: int) -> None:
    assert parse_instant(rfc3339(instant)) == instant


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2026-02-03t04:05:06z", "2026-02-03T04:05:06.000000Z"),
        ("2026-02-03T04:05:06.1Z", "2026-02-03T04:05:06.100000Z"),
        ("2026-02-03T04:05:06.1234567891234567890Z", "2026-02-03T04:05:06.123456Z"),
        ("2026-02-03T04:05:06-00:00", "2026-02-03T04:05:06.000000Z"),
        ("2026-02-03T04:05:06+05:45", "2026-02-02T22:20:06.000000Z"),
        ("2026-02-03T04:05:06-23:59", "2026-02-04T04:04:06.000000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.999999Z"),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, same_as: str) -> None:
    assert rfc3339(parse_instant(text)) == same_as


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-02-03", "2026-02-03T04:05:06", "2026-02-03 04:05:06Z", "2026-02-03T04:05Z",
        "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z",
        "2026-02-03T24:00:00Z", "2026-02-03T04:60:00Z", "2026-02-03T04:05:61Z", "2026-02-03T04:05:06.Z",
        "2026-02-03T04:05:06,5Z", "2026-02-03T04:05:06+0100", "2026-02-03T04:05:06+24:00",
        "2026-02-03T04:05:06+01:60", "2026-02-03T04:05:06Z\n", " 2026-02-03T04:05:06Z", "٢٠٢٦-02-03T04:05:06Z",
        "-2026-02-03T04:05:06Z", "12026-02-03T04:05:06Z",
    ],
)  # fmt: skip
def test_what_is_not_rfc_3339_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


@given(st.text())
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        parse_instant(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017  # nothing else may be raised


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_positions_sort_as_instants(one: int, other: int) -> None:
    first, second = a_record(1, instant=one).position, a_record(2, instant=other).position

    assert (first < second) == (one < other) or one == other
    assert instant_of(first) == one


@pytest.mark.parametrize(
    "change",
    [
        {"log_id": "00000000-0000-4000-8000-000000000002"},
        {"service_name": "orders"},
        {"log_type": "audit"},
        {"level": Level.DEBUG},
        {"caller": "arn:aws:iam::123456789012:user/somebody"},
        {"metadata": '{"a":1}'},
        {"message": "taken!"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_record_that_differs_in_anything_is_another(change: dict[str, object]) -> None:
    record = a_record(1)

    assert replace(record, **change).position != record.position  # type: ignore[arg-type]  # fields of Record
    assert replace(record).position == record.position


def test_parts_of_an_identity_do_not_run_into_each_other() -> None:
    assert (
        a_record(1, log_type="a", service_name="bc").identity != a_record(1, log_type="ab", service_name="c").identity
    )


@given(st.integers(0, 10**15))
def test_a_day_and_an_hour_are_those_of_utc(instant: int) -> None:
    moment = EPOCH + timedelta(microseconds=instant)

    assert day_of(instant) + hour_of(instant) == moment.strftime("%Y%m%d%H")
    assert start_of_day(day_of(instant)) == instant - instant % DAY_US


def test_days_between_holds_both_ends_and_is_empty_backwards() -> None:
    assert days_between(NOON, NOON) == ["20260203"]
    assert days_between(NOON - DAY_US, NOON) == ["20260202", "20260203"]
    assert days_between(NOON, NOON - DAY_US) == []


def test_a_derived_id_is_the_same_at_every_attempt_and_for_nothing_else() -> None:
    ids = {derived_id(caller, key, index) for caller in ("a", "b") for key in ("k", "l") for index in (0, 1)}

    assert len(ids) == 8
    assert derived_id("a", "k", 0) in ids


RULES = Retention(30, {Level.DEBUG: 7, Level.FATAL: 365}, {"audit-trail": 400})


@pytest.mark.parametrize(
    ("service", "level", "days"),
    [("payments", Level.INFO, 30), ("payments", Level.DEBUG, 7), ("audit-trail", Level.DEBUG, 400)],
)
def test_a_services_rule_wins_then_the_levels_then_the_default(service: str, level: Level, days: int) -> None:
    record = a_record(1, service_name=service, level=level)

    assert RULES.days(service, level) == days
    assert RULES.expires_at(record) == (NOON + days * DAY_US) // 1_000_000
    assert (RULES.shortest, RULES.longest) == (7, 400)


def test_a_timestamp_may_be_two_hours_ahead_and_as_old_as_the_retention() -> None:
    for good in (2 * HOUR_US, -30 * DAY_US):
        assert RULES.problem(a_record(1, instant=NOON + good), NOON) is None

    for bad, text in ((2 * HOUR_US + 1, "2 hours ahead"), (-30 * DAY_US - 1, "30 days")):
        assert text in (RULES.problem(a_record(1, instant=NOON + bad), NOON) or "")


def test_a_record_may_have_256_kib_of_utf_8_and_no_byte_more() -> None:
    room = LARGEST_RECORD_BYTES - OVERHEAD_BYTES - len("{}")

    assert not a_record(1, message="x" * room).is_too_large
    assert a_record(1, message="x" * (room + 1)).is_too_large
    assert not a_record(1, message="é" * (room // 2)).is_too_large
    assert a_record(1, message="é" * (room // 2 + 1)).is_too_large


@pytest.mark.parametrize(
    ("named", "least", "wanted"),
    [
        ([], None, set()),
        (list(Level), None, set()),
        ([], Level.TRACE, set()),
        ([Level.INFO, Level.ERROR], None, {Level.INFO, Level.ERROR}),
        ([], Level.WARN, {Level.WARN, Level.ERROR, Level.FATAL}),
        ([Level.INFO, Level.ERROR], Level.WARN, {Level.ERROR}),
    ],
)
def test_levels_named_and_a_least_level_are_asked_together(
    named: list[Level], least: Level | None, wanted: set[Level]
) -> None:
    assert wanted_levels(named, least) == wanted


def test_levels_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="min_level"):
        wanted_levels([Level.DEBUG], Level.WARN)


def test_only_severe_means_that_no_other_level_is_wanted() -> None:
    assert Filters(levels=frozenset({Level.WARN})).only_severe
    assert not Filters(levels=frozenset({Level.WARN, Level.INFO})).only_severe
    assert not Filters().only_severe
