"""Records as the bodies of POST /logs/batch: within the limits of one request, compressed when it pays."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .errors import Rejection
from .records import Record

BATCH_RECORDS = 1_000
BATCH_BYTES = 4 * 1024 * 1024
FRAME = (b'{"logs":[', b"]}")
WORTH_COMPRESSING = 1_024
LEVEL = 3  # the knee: higher levels cost twice the time for a few percent


@dataclass(frozen=True, slots=True)
class Item:
    """One encoded record and its position in what the caller gave."""

    index: int
    body: bytes


def encoded(index: int, record: Record) -> Item | Rejection:
    """The record as JSON, or why it can never be sent."""
    try:
        body = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return Rejection(index, f"is not JSON: {error}")
    if len(body) > BATCH_BYTES - sum(map(len, FRAME)):
        return Rejection(index, f"is larger ({len(body)} bytes) than a whole request may be")
    return Item(index, body)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Group the items, in order, into requests of at most 1,000 records and 4 MiB before compression."""
    batch: list[Item] = []
    size = 0
    for item in items:
        cost = len(item.body) + 1
        if batch and (len(batch) == BATCH_RECORDS or size + cost > BATCH_BYTES - sum(map(len, FRAME))):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += cost
    if batch:
        yield batch


def body_of(batch: Sequence[Item]) -> tuple[bytes, bool]:
    """The request's body, and whether it is gzip."""
    plain = FRAME[0] + b",".join(item.body for item in batch) + FRAME[1]
    if len(plain) < WORTH_COMPRESSING:
        return plain, False
    small = gzip.compress(plain, LEVEL, mtime=0)
    return (small, True) if len(small) < len(plain) * 0.9 else (plain, False)
