"""Counting what was stored: the table's stream tells of each new record exactly where the API could only guess."""

from collections import Counter
from collections.abc import Iterable, Sequence

from common.clock import Clock
from common.events import Inserted

from ..domain import DAY_US, Level, day_of, hour_of, instant_of
from ..store import Register, Seen, Tally


def count_records(register: Register, inserted: Sequence[Inserted], clock: Clock) -> int:
    """Count new records once, however often the batch is delivered; answers how many were counted."""
    entries = [(i.image["service_name"], instant_of(i.image["sk"]), Level[i.image["level"]]) for i in inserted]
    if not entries:
        return 0
    now = clock.now_us()
    counted = register.add(inserted[0].event_id, _tallies(entries, now), _seen(entries), now)
    return len(entries) if counted else 0


def _tallies(entries: Iterable[tuple[str, int, Level]], now: int) -> list[Tally]:
    """What /services can still show: older records are not counted, only seen."""
    numbers = Counter(
        (name, day_of(instant) + hour_of(instant), level)
        for name, instant, level in entries
        if instant > now - 2 * DAY_US
    )
    return [Tally(name, hour, level, number) for (name, hour, level), number in numbers.items()]


def _seen(entries: Iterable[tuple[str, int, Level]]) -> list[Seen]:
    bounds: dict[str, tuple[int, int]] = {}
    for name, instant, _ in entries:
        first, last = bounds.get(name, (instant, instant))
        bounds[name] = (min(first, instant), max(last, instant))
    return [Seen(name, first, last) for name, (first, last) in bounds.items()]
