"""A loopback log_service, and a client whose clock and sleep belong to the test."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.credentials import Credentials

from log_client import Buffering, LogClient, LogServiceHandler, Options
from tests.fakes.log_service_server import LogServiceServer

NOON = 1_795_003_200.0


@dataclass
class Time:
    """A clock that only moves when somebody sleeps; `pauses` are the sleeps."""

    moment: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.moment += seconds

    def now(self) -> float:
        return NOON + self.moment

    def options(self, *, attempts: int = 4, total: float = 60.0) -> Options:
        return Options(
            attempts=attempts,
            total=total,
            sleep=self.sleep,
            monotonic=self.monotonic,
            now=self.now,
            jitter=lambda: 1.0,
        )


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def server() -> Iterator[LogServiceServer]:
    with LogServiceServer() as running:
        yield running


@pytest.fixture
def client(server: LogServiceServer, time: Time) -> Iterator[LogClient]:
    made = LogClient(server.url, sign=False, options=time.options())
    yield made
    made.close()


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("AKIDEXAMPLE", "secret", "session-token")


@pytest.fixture
def nowhere() -> str:
    """An address at which nothing listens."""
    with LogServiceServer() as stopped:
        return stopped.url


type Make = Callable[..., LogServiceHandler]


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("app.orders")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


@pytest.fixture
def make(client: LogClient, log: logging.Logger) -> Make:
    def made(to: LogClient = client, **limits: Any) -> LogServiceHandler:  # noqa: ANN401 - fields of Buffering
        handler = LogServiceHandler(to, "billing", buffering=Buffering(**limits))
        log.addHandler(handler)
        return handler

    return made


class Spoken:
    """What was said on stderr so far."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._text = ""

    def __str__(self) -> str:
        self._text += self._capture.readouterr().err
        return self._text


@pytest.fixture
def spoken(capsys: pytest.CaptureFixture[str]) -> Spoken:
    return Spoken(capsys)
