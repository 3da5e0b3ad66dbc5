"""Which services write and how much, in DynamoDB: a few small items, whatever the number of records."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.clock import Clock
from common.dynamodb import Item, Plain, conditional, query, query_all, to_wire, transact

from ..domain import DAY_US, SECOND_US, Level, Retention
from .protocols import Seen, Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SERVICES = "services"
MARK_DAYS = 2
COUNT_DAYS = 3
DAY_SECONDS = DAY_US // SECOND_US


@dataclass(frozen=True, slots=True)
class DynamoRegister:
    """A Register over one table: an item per service, an item per service and day with a counter per hour and level."""

    client: "DynamoDBClient"
    table: str
    retention: Retention
    clock: Clock

    def add(self, batch_id: str, tallies: Sequence[Tally], seen: Sequence[Seen], now: int) -> bool:
        """Count a batch once: its mark and its counters are one transaction. Raises TooManyRequests or Unavailable."""
        for service in seen:
            self._see(service)
        return transact(self.client, [self._mark(batch_id, now), *self._counters(tallies, now)], self.clock)

    def services(self) -> list[Seen]:
        """Every service, by name; one of which only the first half is written yet was last seen when first seen."""
        rows = query_all(self.client, self._partition(SERVICES))
        return [Seen(row["sk"], row["first_seen"], row.get("last_seen") or row["first_seen"]) for row in rows]

    def counts(self, hours: Sequence[str]) -> Mapping[str, Mapping[Level, int]]:
        """Records per service and level in these hours (`2026020304`)."""
        totals: dict[str, dict[Level, int]] = defaultdict(lambda: defaultdict(int))
        for day in sorted({hour[:8] for hour in hours}):
            wanted = {hour[8:] for hour in hours if hour.startswith(day)}
            for row in query_all(self.client, self._partition(f"counts#{day}")):
                _sum(totals[row["sk"]], row, wanted)
        return totals

    def ping(self) -> None:
        """Read one small item; raises Unavailable or TooManyRequests."""
        query(self.client, {**self._partition(SERVICES), "Limit": 1})

    def _partition(self, value: str) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": value}},
        }

    def _mark(self, batch_id: str, now: int) -> dict[str, Any]:
        item: dict[str, Plain] = {
            "pk": f"batch#{batch_id}",
            "sk": "-",
            "expires_at": now // SECOND_US + MARK_DAYS * DAY_SECONDS,
        }
        return {
            "Put": {
                "TableName": self.table,
                "Item": {name: to_wire(value) for name, value in item.items()},
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def _counters(self, tallies: Sequence[Tally], now: int) -> list[dict[str, Any]]:
        by_item: dict[tuple[str, str], list[Tally]] = defaultdict(list)
        for tally in tallies:
            by_item[tally.hour[:8], tally.service_name].append(tally)
        expires_at = now // SECOND_US + COUNT_DAYS * DAY_SECONDS
        return [self._counter(day, name, group, expires_at) for (day, name), group in by_item.items()]

    def _counter(self, day: str, service_name: str, tallies: Sequence[Tally], expires_at: int) -> dict[str, Any]:
        names = {f"#{n}": f"{tally.hour[8:]}_{tally.level.name}" for n, tally in enumerate(tallies)}
        values: dict[str, Plain] = {f":{n}": tally.records for n, tally in enumerate(tallies)}
        return {
            "Update": {
                **self._item(f"counts#{day}", service_name),
                "UpdateExpression": f"SET expires_at = :at ADD {', '.join(f'#{n} :{n}' for n in range(len(tallies)))}",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": {n: to_wire(v) for n, v in {**values, ":at": expires_at}.items()},
            }
        }

    def _item(self, pk: str, sk: str) -> dict[str, Any]:
        return {"TableName": self.table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}

    def _see(self, seen: Seen) -> None:
        """Widen the service's first and last; both writes may be repeated and reordered without harm."""
        expires = seen.last // SECOND_US + self.retention.longest * DAY_SECONDS
        earlier = "attribute_not_exists(first_seen) OR first_seen > :first"
        later = "attribute_not_exists(last_seen) OR last_seen < :last"
        self._widen(seen.service_name, "SET first_seen = :first", earlier, {":first": seen.first})
        self._widen(
            seen.service_name,
            "SET last_seen = :last, expires_at = :at",
            later,
            {":last": seen.last, ":at": expires},
        )

    def _widen(self, service_name: str, update: str, condition: str, values: Mapping[str, Plain]) -> None:
        request = {
            **self._item(SERVICES, service_name),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {name: to_wire(value) for name, value in values.items()},
        }
        conditional(lambda: self.client.update_item(**request))


def _sum(totals: dict[Level, int], row: Item, hours: set[str]) -> None:
    for name, value in row.items():
        hour, _, level = name.partition("_")
        if hour in hours and level in Level.__members__:
            totals[Level[level]] += int(value)
