"""The engine stops, hangs or comes back while records stream in: 503 in time, and nothing acknowledged is lost."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest

from local.waiting import until
from tests.support.engine import Engine

from .calling import Api, Reply, record, unique
from .serving import server

GATEWAY_SECONDS = 29  # API Gateway gives up then
BACK_SECONDS = 30


@pytest.fixture
def engine_with_state(tmp_path: Path) -> Iterator[Engine]:
    running = Engine(tmp_path / "state")
    running.start()
    yield running
    running.close()


@pytest.fixture
def alone(engine_with_state: Engine) -> Iterator[Api]:
    """An application whose engine nobody else needs."""
    with server(engine_with_state) as url:
        yield Api(url)


def calls(api: Api, service: str) -> dict[str, Callable[[], Reply]]:
    """Every route that needs the store."""
    entry = record(service)
    return {
        "POST /logs": lambda: api.post("/logs", entry),
        "POST /logs with a key": lambda: api.post("/logs", entry, Idempotency_Key=str(uuid4())),
        "POST /logs/batch": lambda: api.post("/logs/batch", {"logs": [entry] * 60}),
        "POST /v1/logs": lambda: api.post("/v1/logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}]}),
        "GET /logs/recent": lambda: api.get("/logs/recent"),
        "GET /logs/recent of a service": lambda: api.get("/logs/recent", service_name=service),
        "GET /services": lambda: api.get("/services"),
        "GET /health": lambda: api.get("/health"),
    }


def all_at_once(made: dict[str, Callable[[], Reply]]) -> dict[str, tuple[int, float]]:
    """Status and seconds of each call."""

    def timed(call: Callable[[], Reply]) -> tuple[int, float]:
        began = monotonic()
        return call().status, monotonic() - began

    with ThreadPoolExecutor(len(made)) as pool:
        return dict(zip(made, pool.map(timed, made.values()), strict=True))


def test_what_was_acknowledged_before_the_engine_stopped_is_there_when_it_is_back(
    alone: Api, engine_with_state: Engine
) -> None:
    service, numbers = unique(), count()
    acknowledged: list[str] = []

    def batch() -> int:
        messages = [str(next(numbers)) for _ in range(40)]
        reply = alone.post("/logs/batch", {"logs": [record(service, message=message) for message in messages]})
        if reply.status == 200:
            done = [result["status"] == "stored" for result in reply.json["results"]]
            acknowledged.extend(message for message, stored in zip(messages, done, strict=True) if stored)
        return reply.status

    with ThreadPoolExecutor(1) as pool:
        assert {batch() for _ in range(5)} == {200}
        stopping = pool.submit(engine_with_state.stop)
        statuses = [batch()]
        while statuses[-1] != 503:
            statuses.append(batch())
        stopping.result()
    refused = all_at_once(calls(alone, service))
    engine_with_state.start()

    assert set(statuses) <= {200, 503}
    assert {status for status, _ in refused.values()} == {503}
    assert max(seconds for _, seconds in refused.values()) < GATEWAY_SECONDS
    until(lambda: alone.get("/health").status == 200, BACK_SECONDS, "health after the engine came back")
    assert dict.fromkeys(acknowledged, 1).keys() <= {
        log["message"] for log in alone.walk(service_name=service, limit=1000)
    }
    assert alone.post("/logs", record(service)).status == 201


def test_a_hanging_engine_is_503_within_the_gateways_time_and_works_again_when_it_goes_on(
    alone: Api, engine_with_state: Engine
) -> None:
    service = unique()
    process = engine_with_state._process
    assert process
    os.kill(process.pid, signal.SIGSTOP)
    try:
        answers = all_at_once(calls(alone, service))
    finally:
        os.kill(process.pid, signal.SIGCONT)

    assert {name: status for name, (status, _) in answers.items()} == dict.fromkeys(answers, 503)
    assert max(seconds for _, seconds in answers.values()) < GATEWAY_SECONDS
    until(lambda: alone.get("/health").status == 200, BACK_SECONDS, "health after the engine went on")
    assert alone.post("/logs", record(service)).status == 201


def test_health_says_what_is_down_and_the_document_needs_no_store(alone: Api, engine_with_state: Engine) -> None:
    healthy = alone.get("/health")
    engine_with_state.stop()

    down = alone.get("/health")

    assert (healthy.status, healthy.json["status"]) == (200, "healthy")
    assert healthy.json["checks"]["dynamodb"]["latencyMs"] >= 0
    assert {"service", "version", "stage", "timestamp"} <= healthy.json.keys()
    assert (down.status, down.json["status"]) == (503, "unhealthy")
    assert down.json["checks"]["dynamodb"]["status"] == "unhealthy"
    assert b"127.0.0.1" not in down.body
    assert alone.get("/openapi.json").status == 200
    assert alone.get("/logs/recent", limit=0).status == 400
