"""Requests per second of POST /logs through the local server, beside a bare Chalice application in the same server."""

import http.client
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from bench import records
from bench.application import APPLICATION, ENVIRONMENT
from bench.pairs import Pace
from bench.results import Result, from_ratios
from local import settings
from local.waiting import until
from tests.support.engine import free_port

CONNECTIONS = 8
REQUESTS = 100
QUICK_REQUESTS = 25
STARTS_WITHIN_SECONDS = 20.0
BARE = """
from chalice import Chalice
app = Chalice("bare")

@app.route("/logs", methods=["POST"])
def logs():
    return {"accepted": len(app.current_request.json_body)}
"""


def run(endpoint: str, pace: Pace) -> Iterator[Result]:
    """Both servers stand side by side and are asked in turn."""
    requests = QUICK_REQUESTS if pace.quick else REQUESTS
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(_serving(APPLICATION, endpoint))
        bare = stack.enter_context(_serving(_bare_project(folder), endpoint))
        for port in (ours, bare):
            _seconds(port, requests)
        pairs = [(_seconds(ours, requests), _seconds(bare, requests)) for _ in range(pace.pairs)]
    rates = [CONNECTIONS * requests / median(side) for side in zip(*pairs, strict=True)]
    note = f"{rates[0]:,.0f} against {rates[1]:,.0f} requests a second, {CONNECTIONS} connections, canned DynamoDB"
    yield from_ratios("POST /logs served : bare Chalice, time", [one / other for one, other in pairs], None, note)


def _bare_project(folder: Path) -> Path:
    (folder / ".chalice").mkdir()
    (folder / ".chalice" / "config.json").write_text(json.dumps({"version": "2.0", "app_name": "bare"}))
    (folder / "app.py").write_text(BARE)
    return folder


@contextmanager
def _serving(project: Path, endpoint: str) -> Iterator[int]:
    port = free_port()
    extra = {**ENVIRONMENT, "STAGE": "local", "AWS_ENDPOINT_URL": endpoint}
    command = [sys.executable, "-m", "local.server", str(project), "--port", str(port)]
    environment, quiet = settings.child_environment(extra), subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as server:  # noqa: S603  # our own words
        try:
            until(lambda: _answers(port), STARTS_WITHIN_SECONDS, f"{project.name} to answer")
            yield port
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    try:
        _ask(port, 1)
    except OSError:
        return False
    return True


def _seconds(port: int, requests: int) -> float:
    began = perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as callers:
        list(callers.map(lambda _: _ask(port, requests), range(CONNECTIONS)))
    return perf_counter() - began


def _ask(port: int, requests: int) -> None:
    connection = http.client.HTTPConnection(settings.HOST, port)
    for number in range(requests):
        connection.request("POST", "/logs", records.one(number), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status < 300, answer.status  # noqa: PLR2004  # HTTP's successes
    connection.close()
