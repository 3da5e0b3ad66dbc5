"""DynamoDB for every store: typed items, exact numbers, pages, conditional and batched writes, errors in our own words.

A page of items is decoded straight from the answer's JSON (botocore's general shape parser costs ten times as much,
see docs/adr/0006-fast-pages.md); where a botocore does not offer that seam, the same page is made from parsed items.
"""

import base64
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from common.clock import Clock
from common.errors import ApplicationError, TooManyRequests, Unavailable
from common.observability import count

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient

type Plain = str | int | Decimal | bool | bytes | Sequence[Plain] | Mapping[str, Plain] | None
type Item = dict[str, Any]
type Wire = dict[str, dict[str, Any]]

WRITES_PER_BATCH = 25
BATCH_ATTEMPTS = 5
TRANSACTION_ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.05
THROTTLED = {
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "LimitExceededException",
}
OUR_FAULT = {"ValidationException", "SerializationException"}
_PLAIN_ITEMS = "PlainItems"


@dataclass(frozen=True, slots=True)
class Page:
    """Items of one Query, where it stopped (None: at the end), and how many items it evaluated to find them."""

    items: list[Item]
    last_key: Item | None
    evaluated: int


def to_wire(value: Plain) -> dict[str, Any]:  # noqa: PLR0911  # one return a type
    """A value as DynamoDB's typed JSON. Integers and Decimals stay exact (38 digits); floats are refused by type."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": {key: to_wire(part) for key, part in value.items()}}
        case _:
            return {"L": [to_wire(part) for part in value]}


def item_to_wire(item: Mapping[str, Plain]) -> Wire:
    """An item as DynamoDB's typed JSON."""
    return {name: to_wire(value) for name, value in item.items()}


def from_wire(typed: Mapping[str, Any]) -> Any:  # noqa: ANN401  # the inverse of to_wire; the caller knows its attribute
    """A value from DynamoDB's typed JSON; a number without a fraction is an int, any other a Decimal.

    Bytes are base64 in the answer itself and bytes when botocore has parsed it.
    """
    kind, value = next(iter(typed.items()))
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdigit() else Decimal(value)
        case "NULL":
            return None
        case "M":
            return {key: from_wire(part) for key, part in value.items()}
        case "L":
            return [from_wire(part) for part in value]
        case "B":
            return base64.b64decode(value) if isinstance(value, str) else value
        case _:
            return value


def item_from_wire(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """An item from DynamoDB's typed JSON."""
    return {name: typed["S"] if "S" in typed else from_wire(typed) for name, typed in item.items()}


def decode_pages(client: "DynamoDBClient") -> None:
    """Make this client decode the items of a Query itself; asked twice, it still does it once."""
    client.meta.events.register("before-parse.dynamodb.Query", _decode_page, unique_id=_PLAIN_ITEMS)


def _decode_page(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] != 200:  # noqa: PLR2004  # HTTP's OK
        return
    try:
        body = orjson.loads(response_dict["body"])
    except orjson.JSONDecodeError:
        return  # no answer of DynamoDB's: botocore says so itself
    customized_response_dict[_PLAIN_ITEMS] = [item_from_wire(item) for item in body.pop("Items", ())]
    response_dict["body"] = orjson.dumps(body)


def query(client: "DynamoDBClient", request: Mapping[str, Any]) -> Page:
    """One page of a Query; raises TooManyRequests or Unavailable."""
    with translated():
        answer: Mapping[str, Any] = client.query(**request)
    plain = answer.get(_PLAIN_ITEMS)
    items = [item_from_wire(item) for item in answer["Items"]] if plain is None else plain
    last = answer.get("LastEvaluatedKey")
    return Page(items, item_from_wire(last) if last else None, answer.get("ScannedCount", len(items)))


def query_all(client: "DynamoDBClient", request: Mapping[str, Any]) -> Iterator[Item]:
    """Every item of a Query that is known to be small."""
    start: dict[str, Any] = {}
    while True:
        page = query(client, {**request, **start})
        yield from page.items
        if page.last_key is None:
            return
        start = {"ExclusiveStartKey": item_to_wire(page.last_key)}


def put_if_absent(client: "DynamoDBClient", table: str, item: Wire, key: str) -> bool:
    """Store the item unless one with its key exists; says whether it was stored."""
    request: Any = {
        "TableName": table,
        "Item": item,
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": key},
    }
    return conditional(lambda: client.put_item(**request))


def conditional(write: Any) -> bool:  # noqa: ANN401  # any call of the client that may carry a condition
    """Make a conditional write; says whether its condition held."""
    from botocore.exceptions import ClientError  # noqa: PLC0415  # botocore comes with the first client, not before

    with translated():
        try:
            write()
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
    return True


def put_many(client: "DynamoDBClient", table: str, items: Sequence[Wire], clock: Clock) -> list[Wire]:
    """Store items, 25 a call; answers those that DynamoDB did not take after several tries, and all behind them.

    Raises nothing once a call has succeeded: what a later failure left is among the answered.
    """
    for start in range(0, len(items), WRITES_PER_BATCH):
        chunk = list(items[start : start + WRITES_PER_BATCH])
        try:
            left = _put_chunk(client, table, chunk, clock)
        except ApplicationError:
            if start == 0:
                raise
            left = chunk
        if left:
            return left + list(items[start + WRITES_PER_BATCH :])
    return []


def _put_chunk(client: "DynamoDBClient", table: str, chunk: list[Wire], clock: Clock) -> list[Wire]:
    """Store up to 25 items; answers those that were not taken. Raises when the first call fails, none later."""
    waiting: Any = {table: [{"PutRequest": {"Item": item}} for item in chunk]}
    for attempt in range(BATCH_ATTEMPTS):
        if attempt:
            count("DynamoDBThrottles")
            _pause(clock, attempt)
        try:
            with translated():
                waiting = client.batch_write_item(RequestItems=waiting).get("UnprocessedItems")
        except ApplicationError:
            if attempt == 0:
                raise
            break
        if not waiting:
            return []
    return [request["PutRequest"]["Item"] for request in waiting[table]]


def _pause(clock: Clock, attempt: int) -> None:
    """Wait before the next attempt: full jitter, longer each time."""
    clock.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2**attempt))  # noqa: S311  # jitter, not secrecy


def code_of(error: "ClientError") -> str:
    """AWS's own name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated() -> Iterator[None]:
    """Turn what botocore raises into what an application says: throttling 429, no answer or no access 503."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # as in `conditional`

    try:
        yield
    except ClientError as error:
        raise _meaning(error) from error
    except BotoCoreError as error:
        raise Unavailable("The store does not answer. Try again.", retry_after=2) from error


def _meaning(error: "ClientError") -> Exception:
    code = code_of(error)
    if code in THROTTLED:
        count("DynamoDBThrottles")
        return TooManyRequests("The store is busy. Try again.", retry_after=1)
    if code in OUR_FAULT or code in {"ConditionalCheckFailedException", "TransactionCanceledException"}:
        return error
    return Unavailable("The store does not answer. Try again.", retry_after=2)


def transact(client: "DynamoDBClient", actions: Sequence[Mapping[str, Any]], clock: Clock) -> bool:
    """Write all or nothing; false when a condition among the actions did not hold. Conflicts are tried again.

    Raises TooManyRequests when the conflicts do not end, or Unavailable.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415  # as in `conditional`

    request: Any = {"TransactItems": list(actions)}
    for attempt in range(TRANSACTION_ATTEMPTS):
        with translated():
            try:
                client.transact_write_items(**request)
            except ClientError as error:
                reasons = _cancellation_reasons(error)
                if "ConditionalCheckFailed" in reasons:
                    return False
                if not reasons & {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}:
                    raise
            else:
                return True
        _pause(clock, attempt)
    raise TooManyRequests("The store is busy. Try again.", retry_after=1)


def _cancellation_reasons(error: "ClientError") -> set[str]:
    if code_of(error) == "TransactionConflictException":
        return {"TransactionConflict"}
    reasons: Any = error.response.get("CancellationReasons", ())
    return {str(reason.get("Code")) for reason in reasons}
