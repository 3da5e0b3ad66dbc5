"""CPU of a POST with validation and without a store, beside a bare Chalice route that reads the same JSON."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel

from bench import records, yardsticks
from bench.application import CONTEXT, answered, post, replaced, room, silent
from bench.pairs import Pace, Pairs, Side, measure
from bench.results import Result, from_ratios

GOAL = 1.3
GOAL_WITH_LINE = 4.0
SIZES = {"0.3 KB": ("/logs", records.one()), "10 KB": ("/logs/batch", records.batch(40))}
SIZES |= {"200 KB": ("/logs/batch", records.batch(800))}


class NoStore:
    """Takes every record and keeps none."""

    def add(self, _record: object, _expires_at: int) -> bool:
        """It was new."""
        return True

    def add_many(self, _records: Sequence[object]) -> set[str]:
        """There was room for all."""
        return set()


def run(_endpoint: str, pace: Pace) -> Iterator[Result]:
    """Parsing alone, three sizes without a log line, and the smallest with its request line."""
    wiring = room("chalicelib.wiring")
    ingest = room("chalicelib.service").Ingest(NoStore(), wiring.settings().retention, wiring.CLOCK)
    yield from _parsing(pace)
    with replaced(wiring, ingest=lambda: ingest):
        for size in SIZES:
            pairs = _pairs(size, pace, quiet=True)
            yield from_ratios(f"POST {size} : bare Chalice", pairs.ratios, GOAL, pairs.note("request"))
        pairs = _pairs("0.3 KB", pace, quiet=False)
        yield from_ratios("POST 0.3 KB, request line", pairs.ratios, GOAL_WITH_LINE, pairs.note("request"))


class PlainLog(BaseModel):
    """A record as pydantic reads it at its fastest: no pattern, no limit, no rule."""

    service_name: str
    log_type: str
    level: str
    message: str
    metadata: dict[str, Any]


class PlainBatch(BaseModel):
    """Such records."""

    logs: list[PlainLog]


def _parsing(pace: Pace) -> Iterator[Result]:
    """How much of the largest request is parsing, and how much of that pydantic would take without a rule."""
    path, body = SIZES["200 KB"]
    bare = Side(partial(yardsticks.reads_json(), yardsticks.as_text(post(path, body), body), CONTEXT))
    rooms = {
        "validation alone": partial(room("chalicelib.schemas").read_batch, body, "application/json"),
        "pydantic without rules": partial(PlainBatch.model_validate_json, body),
    }
    for name, work in rooms.items():
        pairs = measure(Side(work), bare, pace)
        yield from_ratios(f"200 KB, {name} : bare Chalice", pairs.ratios, None, pairs.note("request"))


def _pairs(size: str, pace: Pace, *, quiet: bool) -> Pairs:
    path, body = SIZES[size]
    event, bare = post(path, body), yardsticks.reads_json()
    plain = yardsticks.as_text(event, body)
    assert bare(plain, CONTEXT)["statusCode"] == 200  # noqa: PLR2004  # HTTP's OK
    with ExitStack() as stack:
        answered(event)  # it is imported before its logger is touched
        if quiet:
            stack.enter_context(silent())
        return measure(Side(partial(answered, event)), Side(partial(bare, plain, SimpleNamespace())), pace)
