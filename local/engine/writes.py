"""What DynamoDB's write operations do to the engine's stores: seen for the journal, done again from it.

The journal holds effects, not requests: the items as they are afterwards, the stream records with their numbers, and
the tokens that make a repeated transaction harmless. So a replay needs no condition, no clock and no chance, and gives
stream consumers the records that they may have read before the kill. ministack runs these operations on one loop
without a pause, so a line is written before anyone sees what it holds.
"""
# ruff: noqa: SLF001  # ministack's stores are private to it

import json
import logging
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from itertools import takewhile
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import dynamodb

HANDLERS = (
    "_put_item",
    "_update_item",
    "_delete_item",
    "_batch_write_item",
    "_transact_write_items",
    "_execute_statement",
    "_batch_execute_statement",
    "_execute_transaction",
)

Effect = tuple[Any, ...]  # kind, account, region, name, table's id, then what the kind needs
Keep = Callable[[bytes, frozenset[str | None]], None]  # a journal's line, and the tables that it writes to
Operation = Callable[..., Any]

logger = logging.getLogger("engine.writes")
_effects: ContextVar[list[Effect] | None] = ContextVar("effects", default=None)


def tables() -> frozenset[str | None]:
    """The ids of all tables; a table that is made again under its name has another."""
    return frozenset(table.get("TableId") for table in list(dynamodb._tables.all_values()))


def record(keep: Keep) -> None:
    """Give `keep` the effects of every write operation, before it is answered."""
    for name in HANDLERS:
        setattr(dynamodb, name, _operation(getattr(dynamodb, name), keep))
    dynamodb._set_item = _storing(dynamodb._set_item)
    dynamodb._remove_item = _storing(dynamodb._remove_item)
    dynamodb._emit_stream_event = _emitting(dynamodb._emit_stream_event)
    dynamodb._txn_token_store = _completing(dynamodb._txn_token_store)
    dynamodb._items_replaced = _rolling_back(dynamodb._items_replaced)


def _operation(handler: Operation, keep: Keep) -> Operation:
    """Whatever the answer: a batch that is refused half-way has written its first half."""

    @wraps(handler)
    def handle(data: Any) -> Any:  # noqa: ANN401  # ministack has no types
        if _effects.get() is not None:  # one statement of a batch
            return handler(data)
        effects: list[Effect] = []
        token = _effects.set(effects)
        try:
            return handler(data)
        finally:
            _effects.reset(token)
            if effects:
                touched = frozenset(effect[4] for effect in effects if effect[0] != "token")
                keep(json.dumps(effects, separators=(",", ":")).encode(), touched)

    return handle


def _storing(original: Operation) -> Operation:
    @wraps(original)
    def store(table: dict[str, Any], pk: str, sk: str, item: Any = None) -> Any:  # noqa: ANN401  # None removes it
        _note("item", table["TableName"], table.get("TableId"), pk, sk, item)
        return original(table, pk, sk) if item is None else original(table, pk, sk, item)

    return store


def _emitting(original: Operation) -> Operation:
    @wraps(original)
    def emit(name: str, *args: Any, **options: Any) -> None:  # noqa: ANN401  # as it comes
        before = _newest(name)
        original(name, *args, **options)
        after = _newest(name)
        if after is not before:
            _note("record", name, dynamodb._tables[name].get("TableId"), after)

    return emit


def _completing(original: Operation) -> Operation:
    @wraps(original)
    def complete(token: str, entry: dict[str, Any]) -> None:
        original(token, entry)
        _note("token", token, None, entry)

    return complete


def _rolling_back(original: Operation) -> Operation:
    @wraps(original)
    def replace(table: dict[str, Any]) -> None:
        original(table)
        (_effects.get() or []).clear()

    return replace


def _note(kind: str, name: str, table: str | None, *what: Any) -> None:  # noqa: ANN401  # any JSON
    effects = _effects.get()
    if effects is not None:
        effects.append((kind, get_account_id(), get_region(), name, table, *what))


def _newest(name: str) -> Any:  # noqa: ANN401  # a record or None
    records = dynamodb._stream_records.get(name)
    return records[-1] if records else None


def replay(lines: Iterable[bytes]) -> int:
    """Do again what the lines say, in order; returns how many there were."""
    count = 0
    for line in lines:
        count += 1
        for kind, account, region, name, table, *what in json.loads(line):
            with request_scope(account, region):
                _again(kind, name, table, what)
    return count


def _again(kind: str, name: str, table_id: str | None, what: list[Any]) -> None:
    if kind == "token":
        dynamodb._txn_idempotency[name] = what[0]
        return
    table = dynamodb._tables.get(name)
    if not table or table.get("TableId") != table_id:
        logger.warning("a write to table %s is left out: the table is gone", name)
    elif kind == "record":
        _append(name, what[0])
    elif what[2] is None:
        dynamodb._remove_item(table, what[0], what[1])
    else:
        dynamodb._set_item(table, *what)


def _append(name: str, record: dict[str, Any]) -> None:
    """Put a record at the end of its table's stream, unless it stands there already."""
    if name not in dynamodb._stream_records:
        dynamodb._stream_records[name] = []
    records, number = dynamodb._stream_records[name], _sequence(record)
    later = takewhile(lambda other: _sequence(other) >= number, reversed(records))
    if all(_sequence(other) != number for other in later):
        records.append(record)


def _sequence(record: dict[str, Any]) -> str:
    """A record's place in its stream, as text of one width."""
    return str(record["dynamodb"]["SequenceNumber"])
