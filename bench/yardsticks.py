"""What the code is compared with: plain boto3, and a Chalice application that does next to nothing."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from chalice.app import Chalice

from bench.application import REGION, Event, Handler
from bench.canned import PAGE, PLAIN_PARTITION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WRITES_PER_CALL = 25


@cache
def dynamodb(endpoint: str) -> "DynamoDBClient":
    """A client as boto3 makes it."""
    return boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint)


@cache
def table(endpoint: str) -> Any:  # noqa: ANN401  # boto3 makes its classes at run time
    """The table as boto3's resource makes it."""
    return boto3.resource("dynamodb", region_name=REGION, endpoint_url=endpoint).Table("logs")


def put_one(endpoint: str, item: Any) -> object:  # noqa: ANN401  # typed JSON
    """Y3: one PutItem of a ready item."""
    return dynamodb(endpoint).put_item(TableName="logs", Item=item)


def put_batch(endpoint: str, items: list[Any]) -> None:
    """The same items by BatchWriteItem."""
    for start in range(0, len(items), WRITES_PER_CALL):
        chunk: list[Any] = [{"PutRequest": {"Item": item}} for item in items[start : start + WRITES_PER_CALL]]
        dynamodb(endpoint).batch_write_item(RequestItems={"logs": chunk})


def page(endpoint: str) -> str:
    """Y4: one Query of a page, and the page as JSON."""
    answer = table(endpoint).query(
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": PLAIN_PARTITION},
        ScanIndexForward=False,
        Limit=PAGE,
    )
    return json.dumps({"count": answer["Count"], "logs": answer["Items"]}, default=str)


def reads_json() -> Handler:
    """Y2: an application of one route that reads its body as JSON."""
    app = Chalice("bare", configure_logs=False)

    @app.route("/logs", methods=["POST"])
    def logs() -> dict[str, int]:
        request = app.current_request
        assert request is not None
        return {"accepted": len(request.json_body)}

    called: Handler = app
    return called


def as_text(event: Event, body: bytes) -> Event:
    """The event as the bare application gets it: its body is text, its route the only one."""
    context = {**event["requestContext"], "resourcePath": "/logs"}
    return {**event, "body": body.decode(), "isBase64Encoded": False, "requestContext": context}
