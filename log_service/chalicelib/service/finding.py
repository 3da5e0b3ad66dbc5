"""Finding records: the newest, those that come now, and who writes them."""

import re
from dataclasses import dataclass

from common.clock import Clock, rfc3339
from common.errors import ValidationFailed
from common.web.cursor import Cursor, CursorSeal, fingerprint

from ..domain import DAY_US, HOUR_US, MOST_AHEAD_US, SECOND_US, Filters, Retention, at, day_of, hour_of
from ..schemas import RecentQuery, ServiceOut, ServicesOut, TailQuery, page
from ..store import Found, LogStore, Register, Span

TAIL_DELAY_US = 2 * SECOND_US
TAIL_PAUSE_SECONDS = 0.5
DEFAULT_HOURS = 24
RECENT, TAIL = "recent", "tail"
POSITION = re.compile(r"\d{16}(#[0-9a-f]{32})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reader:
    """The use cases that read."""

    store: LogStore
    register: Register
    retention: Retention
    clock: Clock
    seal: CursorSeal

    def recent(self, query: RecentQuery) -> bytes:
        """A page of the newest records that the question wants, as JSON. Raises ValidationFailed, Unavailable."""
        filters = query.filters()
        marks = f"{fingerprint(filters.as_json())}.{fingerprint([query.since, query.until, query.hours])}"
        if query.cursor is None:
            (since, until), before = self._window(query), None
        else:
            cursor = self._opened(query.cursor, marks)
            (since, until), before = self._kept(*cursor.bounds), cursor.position
        end = at(until + 1)
        found = self.store.newest(filters, Span(at(since), min(before or end, end)), query.limit)
        resume = found.resume and self.seal.close(Cursor(RECENT, found.resume, marks, (since, until)))
        return page(found.rows, resume, partial=found.partial)

    def _opened(self, text: str, marks: str) -> Cursor:
        cursor = self._unsealed(text)
        if cursor.kind != RECENT or cursor.filters != marks:
            raise ValidationFailed.of("cursor", "belongs to other filters; keep them the same from page to page")
        return cursor

    def _window(self, query: RecentQuery) -> tuple[int, int]:
        if query.hours is not None and query.since is not None:
            raise ValidationFailed.of("hours", "goes without `since`; give one of the two")
        now = self.clock.now_us()
        until = _last(now) if query.until is None else query.until
        back = (query.hours or DEFAULT_HOURS) * HOUR_US
        since = (now if query.until is None else until) - back if query.since is None else query.since
        if since > until:
            raise ValidationFailed.of("since", "is later than `until`")
        return self._kept(since, until)

    def _kept(self, since: int, until: int) -> tuple[int, int]:
        """The part of a span in which there can be records."""
        now = self.clock.now_us()
        return max(since, now - self.retention.longest * DAY_US), min(until, _last(now))

    def tail(self, query: TailQuery) -> bytes:
        """Records that came since the cursor, oldest first; waits for the first of them up to `wait` seconds."""
        filters = query.filters()
        marks = fingerprint(filters.as_json())
        after = self._start(query.cursor, marks)
        deadline = self.clock.monotonic() + query.wait
        while True:
            found, reached = self._arrived(filters, after, query.limit)
            left = deadline - self.clock.monotonic()
            if found.rows or found.partial or left <= 0:
                return page(found.rows, self.seal.close(Cursor(TAIL, reached, marks)), partial=found.partial)
            after = reached
            self.clock.sleep(min(TAIL_PAUSE_SECONDS, left))

    def _start(self, text: str | None, marks: str) -> str:
        if text is None:
            return at(self.clock.now_us())
        cursor = self._unsealed(text)
        if cursor.filters.partition(".")[0] != marks:
            raise ValidationFailed.of("cursor", "belongs to other filters; keep them the same from page to page")
        return cursor.position

    def _unsealed(self, text: str) -> Cursor:
        cursor = self.seal.open(text)
        if not POSITION.fullmatch(cursor.position):
            raise ValidationFailed.of("cursor", "is not of this service; take nextCursor as it was given")
        return cursor

    def _arrived(self, filters: Filters, after: str, limit: int) -> tuple[Found, str]:
        """What stands between the cursor and two seconds ago, and where that ends."""
        horizon = at(self.clock.now_us() - TAIL_DELAY_US + 1)
        if horizon <= after:
            return Found((), None, 0), after
        found = self.store.oldest(filters, Span(after, horizon), limit)
        return found, found.resume or horizon

    def services(self) -> ServicesOut:
        """Every service of which records are kept, with those of the last 24 hours by level (to the hour)."""
        now = self.clock.now_us()
        instants = range(now - DEFAULT_HOURS * HOUR_US, now + 1, HOUR_US)
        counts = self.register.counts([day_of(instant) + hour_of(instant) for instant in instants])
        forgotten = now - self.retention.longest * DAY_US
        services = [
            ServiceOut(
                service_name=seen.service_name,
                first_seen=rfc3339(seen.first),
                last_seen=rfc3339(seen.last),
                levels={level.name: number for level, number in sorted(counts.get(seen.service_name, {}).items())},
            )
            for seen in self.register.services()
            if seen.last >= forgotten
        ]
        return ServicesOut(services=services, count=len(services))


def _last(now: int) -> int:
    """The end of the day in which the latest record may lie: a bound that no partition is cut by."""
    return ((now + MOST_AHEAD_US) // DAY_US + 1) * DAY_US - 1
