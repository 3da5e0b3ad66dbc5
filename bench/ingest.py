"""CPU per record that comes in, from API Gateway's event to DynamoDB's answer, beside plain boto3."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from bench import records, yardsticks
from bench.application import answered, post, room
from bench.pairs import Pace, Side, measure
from bench.results import Result, from_ratios

BATCHES = (100, 1000)
GOAL_OF_PUT_ITEM = 0.17


def run(endpoint: str, pace: Pace) -> Iterator[Result]:
    """One record, and batches."""
    put = Side(partial(yardsticks.put_one, endpoint, items(1)[0]))
    single = measure(Side(partial(answered, post("/logs", records.one()))), put, pace)
    yield from_ratios("ingest 1 record : put_item", single.ratios, None, single.note("record"))
    for size in BATCHES:
        ours = Side(partial(answered, post("/logs/batch", records.batch(size))), size)
        pairs = measure(ours, put, pace)
        yield from_ratios(f"ingest {size}, a record : put_item", pairs.ratios, GOAL_OF_PUT_ITEM, pairs.note("record"))
        batch = Side(partial(yardsticks.put_batch, endpoint, items(size)), size)
        pairs = measure(ours, batch, pace)
        yield from_ratios(f"ingest {size} : batch_write_item", pairs.ratios, None, pairs.note("record"))


def items(size: int) -> list[Any]:
    """The records as the store keeps them."""
    keys, incoming = room("chalicelib.store.keys"), room("chalicelib.schemas.incoming")
    entries = incoming.read_batch(records.batch(size), "application/json")
    made = (entry.record("caller", 1_770_000_000_000_000 + n, records.log_id(n)) for n, entry in enumerate(entries))
    return [keys.wire_item(record, 1_780_000_000, 4) for record in made]
