"""Taking records in: one, or many of which each is judged alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.clock import Clock
from common.errors import PayloadTooLarge, TooManyRequests, ValidationFailed

from ..domain import Record, Retention, Verdict, derived_id
from ..schemas import CreatedOut, Fault, LogIn
from ..store import LogStore

TOO_LARGE = "The record is over 256 KiB."
BUSY = "The store is busy; send this record again."


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends records. Under an Idempotency-Key, `first_instant` answers when that key was first seen."""

    caller: str
    key: str | None = None
    first_instant: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class Ingest:
    """The use cases that write."""

    store: LogStore
    retention: Retention
    clock: Clock

    def one(self, entry: LogIn, sender: Sender) -> CreatedOut:
        """Keep one record; it is durable when this returns.

        Raises ValidationFailed, PayloadTooLarge, TooManyRequests, Unavailable.
        """
        record = self._records([entry], sender)[0]
        problem = self.retention.problem(record, self.clock.now_us())
        if problem:
            raise ValidationFailed.of("timestamp", problem)
        if record.is_too_large:
            raise PayloadTooLarge(TOO_LARGE)
        stored = self.store.add(record, self.retention.expires_at(record))
        return CreatedOut(log_id=record.log_id, timestamp=record.timestamp, duplicate=None if stored else True)

    def many(self, entries: Sequence[LogIn | Fault], sender: Sender) -> list[Verdict]:
        """Keep every good record; what is `stored` is durable when this returns.

        Raises TooManyRequests or Unavailable when no record at all could be stored for now.
        """
        records = self._records([entry for entry in entries if isinstance(entry, LogIn)], sender)
        problems = self._problems(records)
        good = {record.position: record for record, problem in zip(records, problems, strict=True) if problem is None}
        refused = self.store.add_many([(record, self.retention.expires_at(record)) for record in good.values()])
        if good and len(refused) == len(good):
            raise TooManyRequests(BUSY)
        return _verdicts(entries, records, problems, refused)

    def whole(self, entries: Sequence[LogIn | Fault], sender: Sender) -> list[Verdict]:
        """As `many`, for a sender that repeats all or nothing: TooManyRequests unless every good record is kept."""
        verdicts = self.many(entries, sender)
        if any(verdict.retryable for verdict in verdicts):
            raise TooManyRequests(BUSY)
        return verdicts

    def _problems(self, records: Sequence[Record]) -> list[str | None]:
        now = self.clock.now_us()
        return [TOO_LARGE if record.is_too_large else self._time_problem(record, now) for record in records]

    def _time_problem(self, record: Record, now: int) -> str | None:
        problem = self.retention.problem(record, now)
        return f"timestamp: {problem}" if problem else None

    def _records(self, entries: Sequence[LogIn], sender: Sender) -> list[Record]:
        """Records that came without a timestamp are stamped now, a microsecond apart, so that their order is kept.

        Equal ones with a `log_id` of their own are one record, so they get one instant.
        """
        stamped = all(entry.timestamp is not None for entry in entries)
        start = self.clock.now_us() if stamped or sender.first_instant is None else sender.first_instant()
        firsts: dict[LogIn, int] = {}
        instants = [
            start + index if entry.log_id is None else firsts.setdefault(entry, start + index)
            for index, entry in enumerate(entries)
        ]
        return [
            entry.record(sender.caller, instant, entry.log_id or self._id(sender, index))
            for index, (entry, instant) in enumerate(zip(entries, instants, strict=True))
        ]

    def _id(self, sender: Sender, index: int) -> str:
        return self.clock.new_id() if sender.key is None else derived_id(sender.caller, sender.key, index)


def _verdicts(
    entries: Sequence[LogIn | Fault], records: Sequence[Record], problems: Sequence[str | None], refused: set[str]
) -> list[Verdict]:
    judged = iter(zip(records, problems, strict=True))
    seen: set[str] = set()
    verdicts: list[Verdict] = []
    for entry in entries:
        if isinstance(entry, Fault):
            verdicts.append(Verdict("rejected", entry.log_id, entry.message))
            continue
        record, problem = next(judged)
        verdicts.append(_verdict(record, problem, seen, refused))
        seen.add(record.position)
    return verdicts


def _verdict(record: Record, problem: str | None, seen: set[str], refused: set[str]) -> Verdict:
    if problem is not None:
        return Verdict("rejected", record.log_id, problem)
    if record.position in refused:
        return Verdict("rejected", record.log_id, BUSY, retryable=True)
    return Verdict("duplicate" if record.position in seen else "stored", record.log_id)
