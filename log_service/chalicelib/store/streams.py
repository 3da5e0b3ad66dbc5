"""One partition read in order of time, page by page, no further than is asked."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from common.dynamodb import query

from ..domain import Filters
from .keys import Partition
from .protocols import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COLUMNS = ("sk", "service_name", "timestamp", "log_id", "log_type", "level", "message", "metadata")


@dataclass(frozen=True, slots=True)
class Question:
    """What all streams of one read have in common."""

    table: str
    filters: Filters
    newest_first: bool
    alive_at: int | None
    """Seconds since 1970: rows that expired before are not answered. None: none of the span can have expired."""


@dataclass(slots=True)
class Stream:
    """A partition's rows; `rows` holds those fetched and not yet taken."""

    client: "DynamoDBClient"
    partition: Partition
    question: Question
    low: str | None = None
    """Only rows behind this position; None: every row of the partition is."""
    high: str | None = None
    """Only rows before this position; None: every row of the partition is."""
    rows: deque[Row] = field(default_factory=deque)
    reached: str | None = None
    """The position up to which the partition was evaluated; None before the first page."""
    exhausted: bool = False
    evaluated: int = 0

    @property
    def is_dry(self) -> bool:
        """Whether nothing is at hand though there may be more."""
        return not self.rows and not self.exhausted

    def fetch(self, limit: int) -> None:
        """Evaluate up to `limit` items more."""
        if self.low is not None and self.high is not None and just_after(self.low) > just_before(self.high):
            self.exhausted = True
            return
        page = query(self.client, self._request(limit))
        self.rows.extend(page.items)
        self.evaluated += page.evaluated
        self.exhausted = page.last_key is None
        if page.last_key is not None:
            self._go_on_from(page.last_key["sk"])

    def _go_on_from(self, position: str) -> None:
        self.reached = position
        if self.question.newest_first:
            self.high = position
        else:
            self.low = position

    def _request(self, limit: int) -> dict[str, Any]:
        condition, bounds = key_condition(self.low, self.high)
        request: dict[str, Any] = {
            "TableName": self.question.table,
            "KeyConditionExpression": f"#pk = :pk{condition}",
            "ProjectionExpression": ",".join(f"#{name}" for name in COLUMNS),
            "ExpressionAttributeNames": {f"#{name}": name for name in COLUMNS} | {"#pk": self.partition.attribute},
            "ExpressionAttributeValues": {":pk": {"S": self.partition.value}, **bounds},
            "ScanIndexForward": not self.question.newest_first,
            "Limit": limit,
        }
        if self.partition.index is None:
            request["ConsistentRead"] = True
        else:
            request["IndexName"] = self.partition.index
        return self._filtered(request)

    def _filtered(self, request: dict[str, Any]) -> dict[str, Any]:
        conditions = filter_conditions(self.question, self.partition)
        if conditions:
            request["FilterExpression"] = " AND ".join(condition for condition, _, _ in conditions)
            for _, names, values in conditions:
                request["ExpressionAttributeNames"].update(names)
                request["ExpressionAttributeValues"].update(values)
        return request


type Condition = tuple[str, Mapping[str, str], Mapping[str, dict[str, str]]]


def filter_conditions(question: Question, partition: Partition) -> list[Condition]:
    """What the partition's key does not already answer."""
    wanted = question.filters
    conditions: list[Condition] = []
    if wanted.log_type is not None:
        conditions.append(("#log_type = :type", {}, {":type": {"S": wanted.log_type}}))
    if wanted.levels and partition.attribute in {"pk", "recent_pk"}:
        levels = {f":level{number}": {"S": level.name} for number, level in enumerate(sorted(wanted.levels))}
        conditions.append((f"#level IN ({','.join(levels)})", {}, levels))
    if question.alive_at is not None:
        alive = {":now": {"N": str(question.alive_at)}}
        conditions.append(("#expires_at > :now", {"#expires_at": "expires_at"}, alive))
    return conditions


def key_condition(low: str | None, high: str | None) -> tuple[str, dict[str, dict[str, str]]]:
    """What a Query says of the sort key; a bound that every row of the partition keeps is left out."""
    match low, high:
        case None, None:
            return "", {}
        case None, str(before):
            return " AND #sk < :high", {":high": {"S": before}}
        case str(after), None:
            return " AND #sk > :low", {":low": {"S": after}}
        case str(after), str(before):
            bounds = {":low": {"S": just_after(after)}, ":high": {"S": just_before(before)}}
            return " AND #sk BETWEEN :low AND :high", bounds
    raise AssertionError((low, high))


def just_after(position: str) -> str:
    """The first text behind a position."""
    return position + "\x01"


def just_before(position: str) -> str:
    """A text before the position and behind every other position that is smaller."""
    head, last = position[:-1], position[-1]
    return f"{head}{chr(ord(last) - 1)}\x7f"
