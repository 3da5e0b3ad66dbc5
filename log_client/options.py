"""How long a client waits and how often it tries, and the clock it goes by."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


def _silent(_reason: str, _seconds: float) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Options:
    """Times in seconds.

    `attempts` and `total` bound one request with all its repetitions; before repetition n the pause is random between 0
    and min(`cap`, `base` * 2**n), and never shorter than the answer's Retry-After. `on_wait` is told the reason and the
    length of each pause. `sleep`, `monotonic`, `now` and `jitter` are the seams of the tests.
    """

    connect_timeout: float = 3.0
    timeout: float = 10.0
    attempts: int = 8
    total: float = 60.0
    base: float = 0.25
    cap: float = 20.0
    on_wait: Callable[[str, float], None] = _silent
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random

    def pause(self, attempt: int, at_least: float = 0.0) -> float:
        """Full jitter: how long to wait after the attempt of this number, counted from 0."""
        return max(at_least, self.jitter() * min(self.cap, self.base * 2.0 ** min(attempt, 30)))


class Budget:
    """The attempts and the time that one request may still use."""

    def __init__(self, options: Options, *, attempts: int = 0, total: float = 0.0) -> None:
        """Take the limits of `options` where none are given here."""
        self._options = options
        self._left = attempts or options.attempts
        self._ends = options.monotonic() + (total or options.total)
        self.used = 0

    @property
    def remaining(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self._ends - self._options.monotonic())

    def spend(self) -> None:
        """Count one attempt."""
        self._left -= 1
        self.used += 1

    def refund(self) -> None:
        """Give one attempt back: it made progress."""
        self._left += 1

    def wait(self, reason: str, at_least: float = 0.0) -> bool:
        """Pause before the next attempt; False, at once, when no attempt or too little time is left."""
        seconds = self._options.pause(self.used - 1, at_least)
        if self._left <= 0 or seconds >= self.remaining:
            return False
        self._options.on_wait(reason, seconds)
        self._options.sleep(seconds)
        return True
