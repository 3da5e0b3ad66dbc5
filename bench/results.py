"""What a measurement says, and the table of all of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

HEADINGS = ("measurement", "result", "min - max", "goal", "")


@dataclass(frozen=True, slots=True)
class Result:
    """One number beside its goal (None: it is only reported); `low` and `high` when it is a median of several."""

    measurement: str
    value: float
    goal: float | None = None
    unit: str = "x"
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """met, MISSED, or nothing without a goal."""
        if self.goal is None:
            return ""
        return "met" if self.value <= self.goal else "MISSED"

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns of the table."""
        spread = f"{shown(self.low)} - {shown(self.high)}" if self.low is not None and self.high is not None else ""
        goal = "" if self.goal is None else f"<= {shown(self.goal)}"
        return (self.measurement, f"{shown(self.value)} {self.unit}", spread, goal, self.verdict, self.note)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "verdict": self.verdict}


def from_ratios(measurement: str, ratios: Sequence[float], goal: float | None, note: str) -> Result:
    """The median of paired ratios."""
    return Result(measurement, median(ratios), goal, "x", min(ratios), max(ratios), note)


def shown(value: float | None) -> str:
    """A number in as many digits as mean something."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.3g}"  # noqa: PLR2004  # three digits


def table(results: Sequence[Result]) -> str:
    """All results, aligned; the notes stand under their rows."""
    rows = [HEADINGS, *(result.cells[:5] for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = ["", *(f"    {result.note}" if result.note else "" for result in results)]
    return "\n".join(line for pair in zip(lines, notes, strict=True) for line in pair if line)
