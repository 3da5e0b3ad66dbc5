"""Makes a source for every event decorator of an application, with the rules and subscriptions it needs."""

import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from chalice.app import (
    CloudWatchEventConfig,
    DynamoDBEventConfig,
    ScheduledEventConfig,
    SNSEventConfig,
    SQSEventConfig,
)

from local import aws
from local.applications import Application
from local.pump import events
from local.pump.invocation import Handler
from local.pump.queues import EventQueue, QueueSource, make_event_queue
from local.pump.streams import StreamSource
from local.settings import ACCOUNT, REGION

SPARE_SECONDS = 30  # a handler's time-out and this much pass before a killed pump's event comes again

DELIVERED = (SQSEventConfig, CloudWatchEventConfig, ScheduledEventConfig, SNSEventConfig, DynamoDBEventConfig)

logger = logging.getLogger("pump")


class Source(Protocol):
    """Something that delivers events to one handler, step by step."""

    name: str

    def step(self) -> None:
        """Deliver what waits, or wait a moment."""


class Engine:
    """What the sources need of the engine."""

    def __init__(self, endpoint: str) -> None:
        self.sqs = aws.client("sqs", endpoint)
        self.events = aws.client("events", endpoint)
        self.sns = aws.client("sns", endpoint)
        self.dynamodb = aws.client("dynamodb", endpoint)
        self.streams = aws.client("dynamodbstreams", endpoint)


def make(application: Application, engine: Engine, checkpoints: Path) -> dict[str, Callable[[], Source]]:
    """How to open the source of each handler, by the handler's name."""
    made: dict[str, Callable[[], Source]] = {}
    for config in application.app.event_sources:
        if isinstance(config, DELIVERED):
            made[config.name] = partial(source, config, application, engine, checkpoints)
        else:
            logger.warning("%s is not delivered on one machine; run it by `make fire`", config.name)
    return made


def source(config: Any, application: Application, engine: Engine, checkpoints: Path) -> Source:  # noqa: ANN401  # chalice ships no types
    """The source behind one decorator of a kind that is delivered."""
    handler = Handler(application, config.name)
    match config:
        case SQSEventConfig():
            return QueueSource(
                engine.sqs,
                handler,
                config.queue or config.queue_arn or "",
                batch_size=config.batch_size,
                window_seconds=config.maximum_batching_window_in_seconds,
            )
        case CloudWatchEventConfig() | ScheduledEventConfig():
            return rule(config, handler, engine)
        case SNSEventConfig():
            return topic(config.topic, handler, engine)
    clients = (engine.dynamodb, engine.streams)
    stream = StreamSource(clients, handler, checkpoints / application.name / f"{config.name}.json")
    stream.arn, stream.batch_size = config.stream_arn, config.batch_size
    return stream


def prefix(application: str) -> str:
    """How the names of an application's rules and queues on the engine begin."""
    return f"local-{application.replace('_', '-')}--"


def rule(config: Any, handler: Handler, engine: Engine) -> Source:  # noqa: ANN401  # as above
    """A rule on the default bus with the decorator's pattern or schedule, and a queue of ours as its target."""
    name = prefix(handler.application) + handler.name
    arn = make_event_queue(engine.sqs, name, handler.timeout_seconds + SPARE_SECONDS)
    wanted = trigger(config)
    if not wanted.items() <= current_rule(name, engine).items():  # putting it again would restart a rate's countdown
        engine.events.put_rule(Name=name, State="ENABLED", **wanted)
    engine.events.put_targets(Rule=name, Targets=[{"Id": "pump", "Arn": arn}])
    return EventQueue(engine.sqs, handler, name, lambda event: event)


def trigger(config: Any) -> dict[str, str]:  # noqa: ANN401  # as above
    """What starts the handler, in PutRule's terms."""
    if isinstance(config, CloudWatchEventConfig):
        return {"EventPattern": json.dumps(config.event_pattern)}
    expression = config.schedule_expression
    return {"ScheduleExpression": expression if isinstance(expression, str) else expression.to_string()}


def current_rule(name: str, engine: Engine) -> dict[str, Any]:
    """The rule as the engine has it; empty when it has none."""
    try:
        found: dict[str, Any] = engine.events.describe_rule(Name=name)
    except engine.events.exceptions.ResourceNotFoundException:
        return {}
    return found


def forget_rules(application: Application, engine: Engine) -> None:
    """Remove the rules of handlers that the application no longer has."""
    start = prefix(application.name)
    wanted = {config.name for config in application.app.event_sources}
    for found in engine.events.list_rules(NamePrefix=start)["Rules"]:
        if found["Name"].removeprefix(start) not in wanted:
            engine.events.remove_targets(Rule=found["Name"], Ids=["pump"])
            engine.events.delete_rule(Name=found["Name"])


def topic(topic: str, handler: Handler, engine: Engine) -> Source:
    """A queue of ours, subscribed to the topic."""
    topic_arn = topic if topic.startswith("arn:") else f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
    name = prefix(handler.application) + handler.name
    queue_arn = make_event_queue(engine.sqs, name, handler.timeout_seconds + SPARE_SECONDS)
    known = [found["SubscriptionArn"] for found in subscriptions(topic_arn, engine) if found["Endpoint"] == queue_arn]
    arn = (
        known[0]
        if known
        else engine.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)["SubscriptionArn"]
    )
    return EventQueue(engine.sqs, handler, name, lambda envelope: events.sns(envelope, arn))


def subscriptions(topic_arn: str, engine: Engine) -> Iterator[dict[str, str]]:
    """The subscriptions of a topic."""
    for page in engine.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn):
        yield from page["Subscriptions"]
