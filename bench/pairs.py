"""Measuring two things in turn (A B A B ...), so that what else the machine does falls on both; CPU time only."""

import os
import resource
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time

type Work = Callable[[], object]
SAMPLE_SECONDS = 0.1
QUICK_SAMPLE_SECONDS = 0.03
PAIRS = 9
QUICK_PAIRS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How thoroughly to measure."""

    quick: bool = False

    @property
    def pairs(self) -> int:
        """How many times both sides are measured."""
        return QUICK_PAIRS if self.quick else PAIRS

    @property
    def sample_seconds(self) -> float:
        """The CPU time that one sample takes at least."""
        return QUICK_SAMPLE_SECONDS if self.quick else SAMPLE_SECONDS


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: `work` does `units` units (records, requests)."""

    work: Work
    units: int = 1


@dataclass(frozen=True, slots=True)
class Pairs:
    """Seconds of CPU per unit of both sides, pair by pair."""

    ours: Sequence[float]
    yardstick: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """Ours by the yardstick."""
        return [one / other for one, other in zip(self.ours, self.yardstick, strict=True)]

    def note(self, unit: str) -> str:
        """Both medians for people."""
        return f"{_time(median(self.ours))} against {_time(median(self.yardstick))} a {unit}"


def measure(ours: Side, yardstick: Side, pace: Pace) -> Pairs:
    """Measure both in this process."""
    rounds = [_rounds(side, pace) for side in (ours, yardstick)]
    samples = [(_sample(ours, rounds[0]), _sample(yardstick, rounds[1])) for _ in range(pace.pairs)]
    return Pairs([one for one, _ in samples], [other for _, other in samples])


def measure_processes(ours: "Program", yardstick: "Program", pace: Pace) -> Pairs:
    """Measure two programs as whole processes."""
    ours.run()
    yardstick.run()
    samples = [(ours.run(), yardstick.run()) for _ in range(pace.pairs)]
    return Pairs([one for one, _ in samples], [other for _, other in samples])


@dataclass(frozen=True, slots=True)
class Program:
    """A command in its folder and environment."""

    command: Sequence[str]
    folder: Path
    environment: dict[str, str]

    def run(self) -> float:
        """Run it to its end; answers its CPU time in seconds."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(  # noqa: S603  # our own words
            self.command, cwd=self.folder, env={**os.environ, **self.environment}, check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _rounds(side: Side, pace: Pace) -> int:
    """How often the work must be repeated to fill a sample; the first call warms it up."""
    side.work()
    rounds = 1
    while (spent := _sample(side, rounds) * rounds * side.units) < pace.sample_seconds:
        rounds = max(rounds * 2, int(rounds * pace.sample_seconds / max(spent, 1e-6)))
    return rounds


def _sample(side: Side, rounds: int) -> float:
    started = process_time()
    for _ in range(rounds):
        side.work()
    return (process_time() - started) / rounds / side.units


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms" if seconds > 1e-2 else f"{seconds * 1e6:.1f} us"  # noqa: PLR2004  # ten milliseconds
