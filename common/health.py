"""What `GET /health` answers: each check with its status and time, and what they mean together."""

from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from common.clock import Clock, rfc3339
from common.errors import ApplicationError
from common.observability import log

type Status = Literal["healthy", "degraded", "unhealthy"]
OK = 200
UNAVAILABLE = 503


class Check(BaseModel):
    """One thing that was asked."""

    status: Literal["healthy", "unhealthy"]
    latency_ms: float = Field(serialization_alias="latencyMs", ge=0)


class Health(BaseModel):
    """The answer of GET /health."""

    status: Status
    service: str
    version: str
    stage: str
    timestamp: str
    checks: dict[str, Check]

    @property
    def http_status(self) -> int:
        """503 when a store of our own is down, else 200."""
        return UNAVAILABLE if self.status == "unhealthy" else OK


def examine(service: str, version: str, stage: str, stores: Mapping[str, Callable[[], object]], clock: Clock) -> Health:
    """Ask every store of our own; one that raises is unhealthy, and so is the application."""
    checks = {name: _check(name, probe, clock) for name, probe in stores.items()}
    down = any(check.status == "unhealthy" for check in checks.values())
    return Health(
        status="unhealthy" if down else "healthy",
        service=service,
        version=version,
        stage=stage,
        timestamp=rfc3339(clock.now_us()),
        checks=checks,
    )


def _check(name: str, probe: Callable[[], object], clock: Clock) -> Check:
    started = clock.monotonic()
    try:
        probe()
    except ApplicationError as error:
        log().warning("health_check_failed", extra={"check": name, "cause": type(error.__cause__ or error).__name__})
        return Check(status="unhealthy", latency_ms=_ms(clock, started))
    return Check(status="healthy", latency_ms=_ms(clock, started))


def _ms(clock: Clock, started: float) -> float:
    return round((clock.monotonic() - started) * 1000, 1)
