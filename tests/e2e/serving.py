"""Servers of log_service for tests that need one of their own: another environment, an engine that may be stopped."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local import settings
from tests.support.engine import Engine, Process, free_port, healthy

APPLICATION = "log_service"
QUIET = {"LOG_LEVEL": "WARNING"}


@contextmanager
def server(engine: Engine, extra: Mapping[str, str] | None = None, *, ready: bool = True) -> Iterator[str]:
    """Serve the application against an engine, without a pump; its base URL."""
    environment = settings.child_environment(engine.environment(APPLICATION) | QUIET | dict(extra or {}))
    port = free_port()
    url = f"http://{settings.HOST}:{port}"
    project = str(settings.REPOSITORY / APPLICATION)
    process = Process([sys.executable, "-m", "local.server", project, "--port", str(port)], environment)
    try:
        process.wait_until(lambda: not ready or healthy(url + "/health"), "log_service to be healthy")
        process.wait_until(lambda: listens(url), "log_service to listen")
        yield url
    finally:
        process.stop()


def listens(url: str) -> bool:
    """Whether it answers without asking the engine."""
    return healthy(url + "/openapi.json")
