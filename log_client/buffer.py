"""What a handler has not delivered yet: bounded in records and bytes; the oldest give way to the newest."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from .batches import Item, batches


@dataclass(frozen=True, slots=True)
class Buffering:
    """When a handler sends and how much it keeps.

    It sends with `batch` records or 1 MiB in the buffer, or when the oldest is `interval` seconds old; it keeps at most
    `records` records and `size` bytes; a flush takes at most `timeout` seconds.
    """

    batch: int = 500
    interval: float = 5.0
    records: int = 10_000
    size: int = 8 * 1024 * 1024
    timeout: float = 5.0
    batch_size: int = 1024 * 1024


class Buffer:
    """A queue of encoded records; not locked."""

    def __init__(self, limits: Buffering) -> None:
        self._limits = limits
        self._items: deque[tuple[Item, float]] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, now: float) -> int:
        """Keep one more, buffered at `now` (monotonic seconds); return how many had to go for it."""
        self._items.append((item, now))
        self._size += len(item.body)
        return self._trim()

    def due(self, now: float) -> bool:
        """Whether there is enough, or something old enough, to be sent."""
        if len(self._items) >= self._limits.batch or self._size >= self._limits.batch_size:
            return True
        return bool(self._items) and now - self._items[0][1] >= self._limits.interval

    def take(self) -> list[Item]:
        """Remove and return the oldest, as many as one request carries."""
        first = next(batches(item for item, _ in self._items), [])
        for _ in first:
            self._size -= len(self._items.popleft()[0].body)
        return first

    def put_back(self, items: Sequence[Item], now: float) -> int:
        """Restore what could not be sent, as the oldest; return how many had to go."""
        self._items.extendleft((item, now) for item in reversed(items))
        self._size += sum(len(item.body) for item in items)
        return self._trim()

    def _trim(self) -> int:
        gone = 0
        while len(self._items) > self._limits.records or self._size > self._limits.size:
            self._size -= len(self._items.popleft()[0].body)
            gone += 1
        return gone
