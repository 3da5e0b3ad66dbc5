"""Logs and metrics behind one face: Powertools' Logger and Metrics, set up once per application.

Traces come from X-Ray's active tracing of API Gateway and Lambda; the X-Ray SDK would bring botocore into every
package (15 MB) for what the two already record (docs/adr/0007-no-tracing-sdk.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

RFC3339 = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Where one application's log lines and metrics go."""

    service: str
    namespace: str
    logger: Logger

    @classmethod
    def of(cls, service: str, namespace: str) -> "Telemetry":
        """Lines carry `service`; metrics go to `namespace` with the dimension `service`. LOG_LEVEL sets the level."""
        return cls(
            service,
            namespace,
            Logger(
                service=service, log_uncaught_exceptions=False, datefmt=RFC3339, use_datetime_directive=True, utc=True
            ),
        )


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
    """Add to a CloudWatch metric (unit Count, dimension `service`), written at once in the embedded metric format."""
    telemetry = _current.get()
    if telemetry is None:
        return
    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=telemetry.namespace) as metric:
        metric.add_dimension(name="service", value=telemetry.service)
