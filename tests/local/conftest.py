"""What the tests of the local stack share: the sample application, served and pumped once."""

import json
import os
import shutil
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local import settings
from local.waiting import until
from tests.support.engine import Engine, Process, Servers, free_port

SAMPLE = Path(__file__).parent / "sample_app"
SECONDS = 15


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  # any JSON
        return json.loads(self.body)


def request(url: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """One request; every status is an answer."""
    asked = urllib.request.Request(url, body, headers or {}, method=method)  # noqa: S310  # a URL of ours
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as got:  # noqa: S310  # as above
            return Answer(got.status, dict(got.headers), got.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())


class Seen:
    """What reached the sample application's handlers."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.touch()

    def by(self, handler: str) -> list[Any]:
        lines = [json.loads(line) for line in self._file.read_text().splitlines()]
        return [line["value"] for line in lines if line["handler"] == handler]

    def times_of(self, handler: str, value: Any) -> list[float]:  # noqa: ANN401  # any JSON
        lines = [json.loads(line) for line in self._file.read_text().splitlines()]
        return [line["at"] for line in lines if line["handler"] == handler and line["value"] == value]

    def wait_for(self, handler: str, condition: Callable[[list[Any]], object]) -> list[Any]:
        until(lambda: condition(self.by(handler)), SECONDS, f"{handler}, which saw {self.by(handler)}")
        return self.by(handler)


class Sample(NamedTuple):
    """The running sample application."""

    url: str
    engine: Engine
    seen: Seen
    outputs: dict[str, str]


@pytest.fixture(scope="session")
def sample(engine: Engine, serve: Servers, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    file = tmp_path_factory.mktemp("sample") / "seen"
    seen = Seen(file)
    return Sample(serve(SAMPLE, {"SAMPLE_SEEN": str(file)}), engine, seen, engine.apply(SAMPLE))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Engine]:
    """An engine that keeps its state in `tmp_path / "state"`."""
    made = Engine(tmp_path / "state")
    made.start()
    yield made
    made.close()


class World:
    """A folder with applications of its own, in which `python -m local` runs as in the repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = root / "sample_app"
        self.seen = Seen(root / "seen")
        self.port, self.engine_port = free_port(), free_port()
        shutil.copytree(SAMPLE, self.project, ignore=shutil.ignore_patterns("__pycache__"))
        self._running: list[Process] = []

    @property
    def url(self) -> str:
        return f"http://{settings.HOST}:{self.port}"

    @property
    def stack_file(self) -> Path:
        return self.root / ".local" / "stack.json"

    def run(self, *arguments: str) -> Process:
        ports = {"SAMPLE_APP_PORT": str(self.port), "ENGINE_PORT": str(self.engine_port)}
        own = {"QUINTET_ROOT": str(self.root), "SAMPLE_SEEN": str(self.root / "seen"), **ports}
        process = Process([sys.executable, "-m", "local", *arguments], settings.child_environment(own))
        self._running.append(process)
        return process

    def up(self) -> Process:
        """The stack, ready."""
        process = self.run("up")
        process.wait_until(self.stack_file.exists, "the stack", 40)
        return process

    def close(self) -> None:
        for process in self._running:
            process.stop()


def descendants(pid: int) -> set[int]:
    """All processes that a process has started, and what they have started."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found: set[int] = {pid}
    while grown := {child for child, parent in parents.items() if parent in found} - found:
        found |= grown
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    return {pid for pid in pids if _runs(pid)}


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def send_signal(pid: int, number: signal.Signals) -> None:
    os.kill(pid, number)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()
