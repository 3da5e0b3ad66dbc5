"""`make fire`: runs one handler of an application now, with an event from a file or one that fits its decorator."""

import contextlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from chalice.app import (
    CloudWatchEventConfig,
    DynamoDBEventConfig,
    ScheduledEventConfig,
    SNSEventConfig,
    SQSEventConfig,
)

from local import settings, stack_file, stacks
from local.applications import Application, load
from local.pump import events
from local.pump.invocation import Handler, HandlerFailed

Event = dict[str, Any]


def fire(application: str, name: str, file: Path | None) -> int:
    """Call the handler, print what it returns; 1 when it raises."""
    given: Event | None = json.loads(file.read_text()) if file else None
    project = settings.root() / application
    settings.adopt(environment_of(application))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what the application logs; the result stands alone
            result = call(load(project), name, given)
    except HandlerFailed as failure:
        print("".join(traceback.format_exception_only(failure.__cause__)), end="", file=sys.stderr)
        return 1
    print(json.dumps(result, indent=2, default=str))
    return 0


def call(loaded: Application, name: str, given: Event | None) -> Any:  # noqa: ANN401  # a handler returns what it likes
    """What the handler returns for the event, or for one that fits."""
    handlers = sorted(loaded.app.handler_map)
    if name not in handlers:
        raise SystemExit(f"{loaded.name} has no handler {name!r}. It has: {', '.join(handlers) or 'none'}.")
    config = next((found for found in loaded.app.event_sources if found.name == name), None)
    return Handler(loaded, name)(default_event(config) if given is None else given)


def environment_of(application: str) -> dict[str, str]:
    """The environment that the running stack gives an application."""
    if application not in settings.applications():
        raise SystemExit(f"There is no application {application!r}. There is: {', '.join(settings.applications())}.")
    endpoint = stack_file.read()["aws_endpoint"]
    outputs = stacks.outputs(application, endpoint)
    return settings.child_environment(settings.application_environment(endpoint, outputs))


def default_event(config: Any) -> Event:  # noqa: ANN401  # chalice ships no types
    """An event of the right shape with nothing in it."""
    match config:
        case ScheduledEventConfig():
            return events.schedule(config.name)
        case CloudWatchEventConfig():
            pattern = config.event_pattern
            return events.bridge(one_of(pattern.get("source")), one_of(pattern.get("detail-type")), config.name)
        case SQSEventConfig():
            message = {"MessageId": "fired", "ReceiptHandle": "fired", "Body": "{}"}
            return events.sqs(
                [message], config.queue_arn or f"arn:aws:sqs:{settings.REGION}:{settings.ACCOUNT}:{config.queue}"
            )
        case SNSEventConfig():
            return events.sns({"MessageId": "fired", "TopicArn": config.topic, "Message": "{}"}, config.topic)
        case DynamoDBEventConfig():
            return events.stream([], config.stream_arn)
    return {}


def one_of(allowed: Any) -> str:  # noqa: ANN401  # any part of a pattern
    """A value that a pattern's list allows, when it names one plainly."""
    plain = [value for value in allowed or [] if isinstance(value, str)]
    return plain[0] if plain else "local"
