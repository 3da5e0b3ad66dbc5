"""As much of a DynamoDB client as the log store's reads and batched writes use, with a hostile will of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

type Wire = dict[str, dict[str, Any]]


@dataclass
class FakeDynamoDB:
    """`cap` says how many items a Query evaluates at most, whatever its Limit: DynamoDB stops at 1 MB.

    When `coy`, a Query that has read everything still names a LastEvaluatedKey, as DynamoDB does when Limit is met.
    """

    items: dict[tuple[str, str], Wire] = field(default_factory=dict)
    cap: Callable[[], int] = field(default=lambda: 1_000_000)
    coy: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)

    def batch_write_item(self, *, RequestItems: Mapping[str, list[Any]]) -> dict[str, Any]:  # noqa: N803  # AWS's name
        for request in next(iter(RequestItems.values())):
            item: Wire = request["PutRequest"]["Item"]
            self.items[item["pk"]["S"], item["sk"]["S"]] = item
        return {"UnprocessedItems": {}}

    def query(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401  # as boto3's
        self.requests.append(request)
        values = request["ExpressionAttributeValues"]
        key = request["ExpressionAttributeNames"]["#pk"]
        keeps = _key_condition(request["KeyConditionExpression"], values)
        inside = [item for item in self.items.values() if item.get(key) == values[":pk"] and keeps(item["sk"]["S"])]
        inside.sort(key=lambda item: str(item["sk"]["S"]), reverse=not request["ScanIndexForward"])
        most = min(request["Limit"], max(self.cap(), 1))
        evaluated = inside[:most]
        answer: dict[str, Any] = {
            "Items": [item for item in evaluated if _passes(item, values)],
            "ScannedCount": len(evaluated),
        }
        if evaluated and (len(inside) > most or (self.coy and len(inside) == most)):
            answer["LastEvaluatedKey"] = {name: evaluated[-1][name] for name in ("pk", "sk")}
        return answer


def _key_condition(expression: str, values: Mapping[str, dict[str, str]]) -> Callable[[str], bool]:
    low, high = (values.get(name, {}).get("S", "") for name in (":low", ":high"))
    conditions: dict[str, Callable[[str], bool]] = {
        "#pk = :pk": lambda _: True,
        "#pk = :pk AND #sk > :low": lambda sk: sk > low,
        "#pk = :pk AND #sk < :high": lambda sk: sk < high,
        "#pk = :pk AND #sk BETWEEN :low AND :high": lambda sk: low <= sk <= high,
    }
    return conditions[expression]


def _passes(item: Wire, values: Mapping[str, dict[str, str]]) -> bool:
    levels = [value for name, value in values.items() if name.startswith(":level")]
    return (
        (":type" not in values or item["log_type"] == values[":type"])
        and (not levels or item["level"] in levels)
        and (":now" not in values or int(item["expires_at"]["N"]) > int(values[":now"]["N"]))
    )
