"""Records as tests like them: plain unless a test says otherwise."""

from dataclasses import replace

from log_service.chalicelib.domain import DAY_US, MOST_AHEAD_US, Filters, Level, Record, Retention, at
from log_service.chalicelib.store import LogStore, Span
from log_service.chalicelib.store.protocols import Found, Row
from tests.fakes.clock import NOON

RETENTION = Retention(default_days=90)
PLAIN = Record(
    service_name="payments",
    log_type="application",
    level=Level.INFO,
    message="taken",
    metadata="{}",
    log_id="00000000-0000-4000-8000-000000000000",
    instant=NOON,
    caller="local",
)
WHOLE = Span(at(NOON - 4 * DAY_US), at(NOON + MOST_AHEAD_US + 1))
EVERYTHING = Filters()


def a_record(number: int = 0, **fields: object) -> Record:
    """A plain record; `number` gives it a log_id of its own."""
    return replace(PLAIN, log_id=f"00000000-0000-4000-8000-{number:012d}", **fields)  # type: ignore[arg-type]  # fields of Record


def span_of_days(days: float) -> Span:
    """The last days and two hours more."""
    return Span(at(NOON - int(days * DAY_US)), WHOLE.before)


def keep(store: LogStore, *records: Record, retention: Retention = RETENTION) -> None:
    """Store records that the store must take."""
    refused = store.add_many([(record, retention.expires_at(record)) for record in records])
    assert not refused


def wanted(records: list[Record], filters: Filters, span: Span) -> list[str]:
    """The positions that a walk of these filters must meet, oldest first: the contract, said as plainly as it goes."""
    return sorted(
        record.position
        for record in records
        if span.after < record.position < span.before
        and filters.service_name in {None, record.service_name}
        and filters.log_type in {None, record.log_type}
        and (not filters.levels or record.level in filters.levels)
    )


def walk(store: LogStore, filters: Filters, span: Span, limit: int, *, newest_first: bool) -> list[Found]:
    """All pages of one question."""
    pages: list[Found] = []
    read = store.newest if newest_first else store.oldest
    while True:
        page = read(filters, span, limit)
        assert len(page.rows) <= limit
        pages.append(page)
        if page.resume is None:
            return pages
        assert span.after < page.resume < span.before, "a page must go on beyond the one before"
        span = Span(span.after, page.resume) if newest_first else Span(page.resume, span.before)


def positions(pages: list[Found]) -> list[str]:
    """Where the rows of these pages stand, in the order of the walk."""
    return [str(row["sk"]) for row in rows_of(pages)]


def rows_of(pages: list[Found]) -> list[Row]:
    """The rows of these pages."""
    return [row for page in pages for row in page.rows]
