"""Several streams read as one: a page is merged from the partitions of one day after another.

Work is bounded: a page evaluates about its own size over all partitions together, and stops early, saying so, when a
filter that no index serves has made it evaluate 5,000 items, a span without records made it ask 400 times, or its rows
are 3 MiB as JSON: Lambda answers 6 MiB at most, in base64.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import orjson

from ..domain import DAY_US, at, start_of_day
from .protocols import Found, Row
from .streams import Stream

MOST_EVALUATED = 5_000
MOST_QUERIES = 400
LEAST_FETCHED = 250  # ever smaller shares of what is left would be many queries for nothing
MOST_BYTES = 3 * 1024 * 1024  # as JSON, where one character may take six; Lambda's answers may have 6 MB in base64
FIELD_BYTES = 400

type Opener = Callable[[str], list[Stream]]


@dataclass(slots=True)
class Merge:
    """Collects one page. It looks for one row more than the page holds, to know whether another page follows."""

    limit: int
    newest_first: bool
    needs_filter: bool
    rows: list[Row] = field(default_factory=list)
    evaluated: int = 0
    queries: int = 0
    bytes: int = 0

    def page(self, days: Iterable[str], open_day: Opener) -> Found:
        """Read day after day until the page is full, the span is read, or the budget is spent."""
        for day in days:
            if self._is_spent:
                return self._early(self._border(day))
            frontier = self._read_day(open_day(day))
            if self._is_full:
                return self._full()
            if frontier is not None:
                return self._early(frontier)
        return Found(self.rows, None, self.evaluated)

    @property
    def _is_full(self) -> bool:
        return len(self.rows) > self.limit or self.bytes >= MOST_BYTES

    @property
    def _is_spent(self) -> bool:
        return self.evaluated >= MOST_EVALUATED or self.queries >= MOST_QUERIES

    def _full(self) -> Found:
        rows = self.rows[: self.limit]
        return Found(rows, str(rows[-1]["sk"]), self.evaluated, partial=len(rows) < self.limit)

    def _early(self, resume: str) -> Found:
        return Found(self.rows, resume, self.evaluated, partial=True)

    def _border(self, day: str) -> str:
        start = start_of_day(day)
        return at(start + DAY_US) if self.newest_first else at(start)

    def _read_day(self, streams: list[Stream]) -> str | None:
        """Merge one day; answers the frontier where the budget ended it, None when it was read or the page is full.

        A stream that runs dry while rows are taken draws the frontier nearer, so rows are taken until none is left
        before it.
        """
        while True:
            taken = len(self.rows)
            dry = self._fill(streams)
            self._take(streams, self._frontier(dry))
            if self._is_full or all(stream.exhausted and not stream.rows for stream in streams):
                return None
            if dry and len(self.rows) == taken:
                return self._frontier(dry)

    def _fill(self, streams: list[Stream]) -> list[Stream]:
        """Give every stream a row at hand; answers those for which the budget did not reach."""
        for stream in streams:
            while stream.is_dry and (stream.reached is None or not self._is_spent):
                self._fetch(stream, len(streams))
        return [stream for stream in streams if stream.is_dry]

    def _fetch(self, stream: Stream, beside: int) -> None:
        before = stream.evaluated
        stream.fetch(self._fetch_size(beside))
        self.evaluated += stream.evaluated - before
        self.queries += 1

    def _fetch_size(self, beside: int) -> int:
        """An even share of what is missing and twice the usual deviation from it, so that a second round is rare.

        Never so much that a page evaluates over twice its size; more only when a filter thins the rows.
        """
        if self.needs_filter and self.queries >= beside:
            left = max(MOST_EVALUATED - self.evaluated, 1)
            return max(left // beside, min(left, LEAST_FETCHED))
        share = (self.limit + 1 - len(self.rows)) / beside
        if beside == 1:
            return int(share)
        return max(1, min(int(share + 2 * math.sqrt(share)), (2 * self.limit + beside) // beside - 1))

    def _take(self, streams: list[Stream], frontier: str | None) -> None:
        """Take rows in order while every stream that may hold the next one has a row at hand."""
        while not self._is_full:
            heads = [stream for stream in streams if stream.rows]
            if not heads:
                return
            first = self._first(heads)
            if frontier is not None and not self._precedes(str(first.rows[0]["sk"]), frontier):
                return
            self._append(first.rows.popleft())
            if first.is_dry:
                return

    def _append(self, row: Row) -> None:
        self.rows.append(row)
        self.bytes += len(orjson.dumps(row["message"])) + _size(row["metadata"]) + FIELD_BYTES

    def _first(self, streams: list[Stream]) -> Stream:
        choose = max if self.newest_first else min
        return choose(streams, key=lambda stream: str(stream.rows[0]["sk"]))

    def _precedes(self, one: str, other: str) -> bool:
        return one > other if self.newest_first else one < other

    def _frontier(self, dry: list[Stream]) -> str | None:
        """Beyond the least advanced of the dry streams, rows may be missing."""
        reached = [stream.reached for stream in dry if stream.reached is not None]
        if not reached:
            return None
        return max(reached) if self.newest_first else min(reached)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
