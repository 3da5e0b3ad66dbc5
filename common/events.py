"""What Lambda delivers beside HTTP, in plain values."""

from dataclasses import dataclass
from typing import Any

from common.dynamodb import item_from_wire


@dataclass(frozen=True, slots=True)
class Inserted:
    """A new item of a DynamoDB stream; `event_id` is the same at every delivery."""

    event_id: str
    image: dict[str, Any]


def inserted(event: dict[str, Any]) -> list[Inserted]:
    """The items that a stream batch says are new, in order. A repeated equal write makes no such record."""
    return [
        Inserted(record["eventID"], item_from_wire(record["dynamodb"]["NewImage"]))
        for record in event.get("Records", ())
        if record.get("eventName") == "INSERT"
    ]
