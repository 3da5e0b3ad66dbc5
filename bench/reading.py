"""CPU of GET /logs/recent for a page of 1,000 records, beside `Table.query` and `json.dumps` of the same page."""

import json
from collections.abc import Iterator
from functools import partial

from bench import yardsticks
from bench.application import answered, get
from bench.canned import PAGE
from bench.pairs import Pace, Side, measure
from bench.results import Result, from_ratios

GOAL = 0.6


def run(endpoint: str, pace: Pace) -> Iterator[Result]:
    """One page."""
    event = get("/logs/recent", limit=str(PAGE))
    page = json.loads(answered(event))["logs"]
    plain = json.loads(yardsticks.page(endpoint))["logs"]
    assert len(page) == PAGE
    assert [row["log_id"] for row in page] == [row["log_id"] for row in plain]
    pairs = measure(Side(partial(answered, event)), Side(partial(yardsticks.page, endpoint)), pace)
    yield from_ratios("page of 1,000 : Table.query + json.dumps", pairs.ratios, GOAL, pairs.note("page"))
