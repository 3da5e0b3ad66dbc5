"""What the service asks of a store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..domain import Filters, Level, Record

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time as positions: from `after` (excluded) to `before` (excluded)."""

    after: str
    before: str


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in order, where to go on (None: nothing is left in the span), and how many items were evaluated."""

    rows: Sequence[Row]
    resume: str | None
    evaluated: int
    partial: bool = False


class LogStore(Protocol):
    """Keeps records for ever as far as it is asked: it can add, never change."""

    def add(self, record: Record, expires_at: int) -> bool:
        """Keep one record durably; false when this very record was there before."""
        ...

    def add_many(self, records: Sequence[tuple[Record, int]]) -> set[str]:
        """Keep distinct records durably; answers the positions of those that the store had no room for now."""
        ...

    def newest(self, filters: Filters, span: Span, limit: int) -> Found:
        """Records of the span, newest first."""
        ...

    def oldest(self, filters: Filters, span: Span, limit: int) -> Found:
        """Records of the span, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records of one service, one hour (`2026020304`) and one level came in."""

    service_name: str
    hour: str
    level: Level
    records: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A service's earliest and latest record, in microseconds."""

    service_name: str
    first: int
    last: int


class Register(Protocol):
    """Knows which services write, without reading their records."""

    def add(self, batch_id: str, tallies: Sequence[Tally], seen: Sequence[Seen], now: int) -> bool:
        """Count a batch once however often it is given; false when it was counted before."""
        ...

    def services(self) -> list[Seen]:
        """Every service, by name."""
        ...

    def counts(self, hours: Sequence[str]) -> Mapping[str, Mapping[Level, int]]:
        """Records per service and level in these hours."""
        ...

    def ping(self) -> None:
        """Ask the store for anything; raises Unavailable."""
        ...
