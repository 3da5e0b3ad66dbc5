"""Logs and metrics behind one face: Powertools' Logger and Metrics, set up once per application.

Traces come from X-Ray's active tracing of API Gateway and Lambda; the X-Ray SDK would bring botocore into every
package (15 MB) for what the two already record (docs/adr/0007-no-tracing-sdk.md).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from common.settings import at_import

RFC3339 = "%Y-%m-%dT%H:%M:%S.%fZ"


def _line(fields: dict[str, Any]) -> str:
    """One log line, whatever its fields hold."""
    try:
        return orjson.dumps(fields, default=str).decode()
    except TypeError:  # an unpaired surrogate in a foreign text, an integer over 64 bits
        return json.dumps(fields, default=str)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Where one application's log lines and metrics go."""

    service: str
    stage: str
    namespace: str
    logger: Logger

    @classmethod
    def of(cls, service: str, namespace: str) -> "Telemetry":
        """Lines carry `service`; metrics go to `namespace` with the dimensions `service` and `stage`.

        LOG_LEVEL sets the level.
        """
        logger = Logger(
            service=service,
            datefmt=RFC3339,
            use_datetime_directive=True,
            utc=True,
            json_serializer=_line,
            json_deserializer=str,  # an event's name is no JSON to be tried
        )
        return cls(service, at_import("STAGE", "local"), namespace, logger)


_current: ContextVar[Telemetry | None] = ContextVar("telemetry", default=None)


@contextmanager
def observed(telemetry: Telemetry, **keys: str) -> Iterator[None]:
    """While inside, `log` and `count` speak for this application and every line carries the keys."""
    token = _current.set(telemetry)
    telemetry.logger.thread_safe_append_keys(**keys)
    try:
        yield
    finally:
        telemetry.logger.thread_safe_clear_keys()
        _current.reset(token)


def log() -> Logger:
    """The current application's logger. Name an event and give fields: `log().info("stored", extra={"count": 3})`."""
    telemetry = _current.get()
    return telemetry.logger if telemetry else Logger(service="common")


def count(name: str, value: int = 1) -> None:
    """Add to a CloudWatch metric, written at once in the embedded metric format.

    Its unit is Count, its dimensions are `service` and `stage`.
    """
    telemetry = _current.get()
    if telemetry is None:
        return
    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=telemetry.namespace) as metric:
        metric.add_dimension(name="service", value=telemetry.service)
        metric.add_dimension(name="stage", value=telemetry.stage)
