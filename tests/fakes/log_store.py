"""A log store and a register in memory, with the promises of `log_service/chalicelib/store/protocols.py`."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from common.clock import Clock
from common.errors import Unavailable
from log_service.chalicelib.domain import SECOND_US, Filters, Level, Record
from log_service.chalicelib.store import Found, Seen, Span, Tally
from log_service.chalicelib.store.protocols import Row

EVALUATED_BUDGET = 5_000
BYTE_BUDGET = 3 * 1024 * 1024
ROW_BYTES = 400


@dataclass(frozen=True)
class Kept:
    record: Record
    expires_at: int

    @property
    def row(self) -> Row:
        record = self.record
        return {
            "sk": record.position,
            "service_name": record.service_name,
            "timestamp": record.timestamp,
            "log_id": record.log_id,
            "log_type": record.log_type,
            "level": record.level.name,
            "message": record.message,
            "metadata": record.metadata,
        }


@dataclass
class FakeLogStore:
    """A LogStore. `has_room` says which records it takes for now; `down` makes every call raise."""

    clock: Clock
    kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    has_room: Callable[[Record], bool] = field(default=lambda _: True)
    down: bool = False
    writes: int = 0

    @property
    def records(self) -> list[Record]:
        return [kept.record for kept in self.kept.values()]

    def add(self, record: Record, expires_at: int) -> bool:
        self._answer()
        self.writes += 1
        key = (record.service_name, record.position)
        if key in self.kept:
            return False
        self.kept[key] = Kept(record, expires_at)
        return True

    def add_many(self, records: Sequence[tuple[Record, int]]) -> set[str]:
        self._answer()
        taken = [(record, expires_at) for record, expires_at in records if self.has_room(record)]
        self.writes += len(taken)
        self.kept |= {(r.service_name, r.position): Kept(r, expires_at) for r, expires_at in taken}
        return {record.position for record, _ in records} - {record.position for record, _ in taken}

    def newest(self, filters: Filters, span: Span, limit: int) -> Found:
        return self._read(filters, span, limit, newest_first=True)

    def oldest(self, filters: Filters, span: Span, limit: int) -> Found:
        return self._read(filters, span, limit, newest_first=False)

    def _read(self, filters: Filters, span: Span, limit: int, *, newest_first: bool) -> Found:
        self._answer()
        rows: list[Row] = []
        size = 0
        candidates = self._candidates(filters, span, newest_first=newest_first)
        for evaluated, kept in zip(count(1), candidates, strict=False):
            if len(rows) == limit or size >= BYTE_BUDGET:
                return Found(rows, rows[-1]["sk"], evaluated, partial=len(rows) < limit)
            if self._is_wanted(kept, filters):
                rows.append(kept.row)
                size += len(kept.record.message.encode()) + len(kept.record.metadata.encode()) + ROW_BYTES
            if evaluated == EVALUATED_BUDGET and kept is not candidates[-1]:
                return Found(rows, kept.record.position, evaluated, partial=True)
        return Found(rows, None, len(candidates))

    def _candidates(self, filters: Filters, span: Span, *, newest_first: bool) -> list[Kept]:
        """What an index serves: time, service, and WARN and above."""
        found = [
            kept
            for kept in self.kept.values()
            if span.after < kept.record.position < span.before
            and filters.service_name in {None, kept.record.service_name}
            and (not filters.only_severe or kept.record.level in filters.levels)
        ]
        return sorted(found, key=lambda kept: kept.record.position, reverse=newest_first)

    def _is_wanted(self, kept: Kept, filters: Filters) -> bool:
        return (
            kept.expires_at > self.clock.now_us() // SECOND_US
            and filters.log_type in {None, kept.record.log_type}
            and (not filters.levels or kept.record.level in filters.levels)
        )

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("The store does not answer. Try again.")


@dataclass
class FakeRegister:
    """A Register."""

    batches: set[str] = field(default_factory=set)
    seen: dict[str, Seen] = field(default_factory=dict)
    tallies: Counter[tuple[str, str, Level]] = field(default_factory=Counter)
    down: bool = False

    def add(self, batch_id: str, tallies: Sequence[Tally], seen: Sequence[Seen], now: int) -> bool:  # noqa: ARG002  # only a store with a TTL needs it
        self.ping()
        for new in seen:
            old = self.seen.get(new.service_name, new)
            self.seen[new.service_name] = Seen(new.service_name, min(old.first, new.first), max(old.last, new.last))
        if batch_id in self.batches:
            return False
        self.batches.add(batch_id)
        self.tallies.update({(t.service_name, t.hour, t.level): t.records for t in tallies})
        return True

    def services(self) -> list[Seen]:
        self.ping()
        return [self.seen[name] for name in sorted(self.seen)]

    def counts(self, hours: Sequence[str]) -> Mapping[str, Mapping[Level, int]]:
        self.ping()
        totals: dict[str, dict[Level, int]] = defaultdict(lambda: defaultdict(int))
        for (name, hour, level), records in self.tallies.items():
            if hour in hours:
                totals[name][level] += records
        return totals

    def ping(self) -> None:
        if self.down:
            raise Unavailable("The store does not answer. Try again.")
