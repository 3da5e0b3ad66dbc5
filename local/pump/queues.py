"""Sources that arrive through a queue: the application's own queues, and the pump's behind rules and topics."""

import json
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

from local.pump import events
from local.pump.invocation import Handler, HandlerFailed, failed_items
from local.settings import ACCOUNT, REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Event = dict[str, Any]
Message = dict[str, Any]

WAIT_SECONDS = 1  # a receive outlives a killed pump by this much, and what it takes then is late
PAGE = 10


class QueueSource:
    """Batches of an application's own queue; a failed batch comes back when its visibility ends."""

    def __init__(self, sqs: "SQSClient", handler: Handler, queue: str, *, batch_size: int, window_seconds: int) -> None:
        self._sqs = sqs
        self._handler = handler
        self._queue = queue.rpartition(":")[2]
        self._batch_size, self._window = batch_size, window_seconds
        self.name = handler.name

    def step(self) -> None:
        """Deliver one batch, if there is one."""
        url = self._sqs.get_queue_url(QueueName=self._queue)["QueueUrl"]
        messages = self._batch(url)
        if not messages:
            return
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self._queue}"
        try:
            failed = failed_items(self._handler(events.sqs(messages, arn)))
        except HandlerFailed:
            return
        for message in messages:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _batch(self, url: str) -> list[Message]:
        messages = receive(self._sqs, url, min(PAGE, self._batch_size), WAIT_SECONDS)
        deadline = monotonic() + self._window
        while messages and len(messages) < self._batch_size:
            more = receive(self._sqs, url, min(PAGE, self._batch_size - len(messages)), 0)
            messages += more
            if not more and monotonic() >= deadline:
                break
        return messages


class EventQueue:
    """Single events from a queue of the pump's; retried as Lambda retries asynchronous calls, then dead."""

    ATTEMPTS = 3

    def __init__(self, sqs: "SQSClient", handler: Handler, queue: str, to_event: Callable[[Event], Event]) -> None:
        self._sqs = sqs
        self._handler = handler
        self._queue = queue
        self._to_event = to_event
        self.name = handler.name

    def step(self) -> None:
        """Deliver what waits."""
        url = self._sqs.get_queue_url(QueueName=self._queue)["QueueUrl"]
        for message in receive(self._sqs, url, PAGE, WAIT_SECONDS):
            self._deliver(url, message)

    def _deliver(self, url: str, message: Message) -> None:
        receipt = message["ReceiptHandle"]
        try:
            self._handler(self._to_event(json.loads(message["Body"])))
        except HandlerFailed:
            attempts = int(message["Attributes"]["ApproximateReceiveCount"])
            self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=attempts)
        else:
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)


def receive(sqs: "SQSClient", url: str, count: int, wait_seconds: int) -> list[Message]:
    """Up to `count` messages with all their attributes."""
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=count,
        WaitTimeSeconds=wait_seconds,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return [dict(message) for message in answer.get("Messages", [])]


def make_event_queue(sqs: "SQSClient", name: str, visibility_seconds: int) -> str:
    """Make sure that a queue of the pump's exists, with its dead letters; returns its ARN."""
    dead = _arn(sqs, sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"])
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = _arn(sqs, url)
    redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": EventQueue.ATTEMPTS}
    attributes = {
        "VisibilityTimeout": str(visibility_seconds),
        "RedrivePolicy": json.dumps(redrive),
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": list(_senders(arn))}),
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)  # type: ignore[arg-type]  # the stub wants literals
    return arn


def _arn(sqs: "SQSClient", url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _senders(arn: str) -> Iterator[Event]:
    for service in ("events.amazonaws.com", "sns.amazonaws.com"):
        yield {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
