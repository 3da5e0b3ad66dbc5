"""A clock that stands still until a test, or a pause, moves it; its identifiers count up."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from common.clock import EPOCH, to_us

NOON = to_us(EPOCH.replace(year=2026, month=2, day=3, hour=12))


@dataclass
class FakeClock:
    """A `common.clock.Clock`. `during_pause` runs within every sleep: what others do meanwhile."""

    us: int = NOON
    pauses: list[float] = field(default_factory=list)
    during_pause: Callable[[], object] = field(default=lambda: None)
    ids: int = 0
    _monotonic: float = 0.0

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return self._monotonic

    def new_id(self) -> str:
        self.ids += 1
        return str(uuid.UUID(int=self.ids, version=4))

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.during_pause()
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.us += round(seconds * 1_000_000)
        self._monotonic += seconds
