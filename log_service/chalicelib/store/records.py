"""The records in DynamoDB: added under keys that no other record can have, read as merged streams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.clock import Clock
from common.dynamodb import put_if_absent, put_many

from ..domain import DAY_US, SECOND_US, Filters, Record, Retention, at, days_between, instant_of, start_of_day
from .keys import Tables, partitions, wire_item
from .merge import Merge
from .protocols import Found, Span
from .streams import Question, Stream

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoLogStore:
    """A LogStore over one table with three indexes."""

    client: "DynamoDBClient"
    tables: Tables
    retention: Retention
    clock: Clock

    def add(self, record: Record, expires_at: int) -> bool:
        """Keep one record; false when it was there. Raises TooManyRequests or Unavailable."""
        item = wire_item(record, expires_at, self.tables.recent_shards)
        return put_if_absent(self.client, self.tables.logs, item, key="pk")

    def add_many(self, records: Sequence[tuple[Record, int]]) -> set[str]:
        """Keep distinct records, 25 a call; answers the positions that were not taken. Raises when none was."""
        items = [wire_item(record, expires_at, self.tables.recent_shards) for record, expires_at in records]
        return {item["sk"]["S"] for item in put_many(self.client, self.tables.logs, items, self.clock)}

    def newest(self, filters: Filters, span: Span, limit: int) -> Found:
        """Records of the span, newest first."""
        days = reversed(_days(span))
        return self._read(filters, span, days, Merge(limit, newest_first=True, needs_filter=_thins(filters)))

    def oldest(self, filters: Filters, span: Span, limit: int) -> Found:
        """Records of the span, oldest first."""
        return self._read(filters, span, _days(span), Merge(limit, newest_first=False, needs_filter=_thins(filters)))

    def _read(self, filters: Filters, span: Span, days: Iterable[str], merge: Merge) -> Found:
        question = Question(self.tables.logs, filters, merge.newest_first, self._alive_at(span))

        def open_day(day: str) -> list[Stream]:
            low, high = _within(span, day)
            parts = partitions(filters, day, self.tables.recent_shards)
            return [Stream(self.client, partition, question, low, high) for partition in parts]

        return merge.page(days, open_day)

    def _alive_at(self, span: Span) -> int | None:
        now = self.clock.now_us()
        can_have_expired = instant_of(span.after) < now - self.retention.shortest * DAY_US
        return now // SECOND_US if can_have_expired else None


def _days(span: Span) -> list[str]:
    """The days that can hold records of the span; one that ends at midnight touches nothing of the day that begins."""
    last = instant_of(span.before) - (span.before == at(instant_of(span.before)))
    return days_between(instant_of(span.after), last)


def _within(span: Span, day: str) -> tuple[str | None, str | None]:
    """The bounds of the span that cut into the day."""
    start = start_of_day(day)
    after = span.after if span.after > at(start) else None
    return after, span.before if span.before < at(start + DAY_US) else None


def _thins(filters: Filters) -> bool:
    return filters.log_type is not None or (bool(filters.levels) and not filters.only_severe)
