"""The events as Lambda gets them from each source."""

import base64
import datetime as dt
import uuid
from typing import Any

from local.settings import ACCOUNT, REGION

Event = dict[str, Any]


def sqs(messages: list[Event], queue_arn: str) -> Event:
    """The event of a batch of messages as ReceiveMessage returns them."""
    return {"Records": [_sqs_record(message, queue_arn) for message in messages]}


def _sqs_record(message: Event, queue_arn: str) -> Event:
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {name: _sqs_attribute(value) for name, value in attributes.items()},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def _sqs_attribute(value: Event) -> Event:
    shape: Event = {"dataType": value["DataType"], "stringListValues": [], "binaryListValues": []}
    if "BinaryValue" in value:
        return shape | {"binaryValue": base64.b64encode(value["BinaryValue"]).decode()}
    return shape | {"stringValue": value.get("StringValue", "")}


def sns(envelope: Event, subscription_arn: str) -> Event:
    """The event of one notification, from the envelope that SNS puts into a queue."""
    message = {
        "Type": "Notification",
        "Subject": None,
        "MessageAttributes": {},
        "UnsubscribeUrl": "",
        **{name: value for name, value in envelope.items() if value is not None and name != "UnsubscribeURL"},
    }
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription_arn,
        "Sns": message,
    }
    return {"Records": [record]}


def stream(records: list[Event], stream_arn: str) -> Event:
    """The event of a batch of stream records as GetRecords returns them."""
    return {"Records": [{**_plain(record), "eventSourceARN": stream_arn} for record in records]}


def _plain(value: Any) -> Any:  # noqa: ANN401  # any JSON
    """JSON of what botocore parsed: bytes as base64, instants as epoch seconds."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp() if isinstance(value, dt.datetime) else value


def bridge(source: str, detail_type: str, rule: str) -> Event:
    """An EventBridge event with an empty detail."""
    now = dt.datetime.now(dt.UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }


def schedule(rule: str) -> Event:
    """The event of a schedule."""
    return bridge("aws.events", "Scheduled Event", rule)
