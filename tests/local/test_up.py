"""The process tree: it comes up, follows changes, heals, and leaves nothing behind."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.waiting import until
from tests.local.conftest import SECONDS, World, alive, descendants, request, send_signal
from tests.support.engine import Process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Process]]:
    world = World(tmp_path_factory.mktemp("world"))
    yield world, world.up()
    world.close()


def part(pid: int, module: str) -> int:
    """The process of a part."""
    found = [child for child in descendants(pid) if module in Path(f"/proc/{child}/cmdline").read_text()]
    return found[0]


def test_it_says_what_runs_to_programs_and_to_people(running: tuple[World, Process]) -> None:
    world, process = running

    stack = json.loads(world.stack_file.read_text())

    assert stack["endpoints"] == {"sample_app": world.url}
    assert stack["aws_endpoint"] == f"http://127.0.0.1:{world.engine_port}"
    assert (stack["api_keys"], stack["users"], stack["simulators"]) == ({}, [], {})
    assert f"curl -s {world.url}/health" in process.text()
    assert "\033[" not in process.text()  # no colour into a file


def test_a_second_stack_says_who_holds_the_port_and_disturbs_nobody(running: tuple[World, Process]) -> None:
    world, process = running

    second = world.run("up")
    until(lambda: second.code() is not None, SECONDS, "the second stack to end")

    assert second.code() == 1
    assert re.search(rf"Port {world.engine_port} \(engine\) is held by pid {process.pid}: .*local up", second.text())
    assert request(world.url + "/health").status == 200
    assert world.stack_file.exists()


def test_a_handler_can_be_run_now(running: tuple[World, Process]) -> None:
    world, _ = running
    fired = world.run("fire", "sample_app", "hourly")

    until(lambda: fired.code() is not None, SECONDS, "fire to end")

    assert fired.code() == 0
    assert '"fired": "Scheduled Event"' in fired.text()
    assert '"source": "aws.events"' in fired.text()


def test_a_handler_can_be_run_with_an_event_and_a_failure_is_an_exit_code(
    running: tuple[World, Process], tmp_path: Path
) -> None:
    world, _ = running
    event = tmp_path / "event.json"
    event.write_text('{"numbers": [1, 2, 3]}')

    good, bad = world.run("fire", "sample_app", "sums", "--event", str(event)), world.run("fire", "sample_app", "sums")
    until(lambda: good.code() is not None and bad.code() is not None, SECONDS, "fire to end")

    assert (good.code(), bad.code()) == (0, 1)
    assert '"sum": 6' in good.text()
    assert "ValueError: numbers are missing" in bad.text()


@pytest.mark.parametrize("module", ["local.server", "local.pump", "local.engine"])
def test_a_crashed_part_is_started_again_and_said(running: tuple[World, Process], module: str) -> None:
    world, process = running
    crashed = part(process.pid, module)

    send_signal(crashed, signal.SIGKILL)

    until(lambda: not alive({crashed}), SECONDS, "the crash")
    until(lambda: "stopped with signal SIGKILL; it starts again" in process.text(), SECONDS, "the message")
    assert request(world.url + "/health").status == 200
    until(lambda: any(module in command(child) for child in descendants(process.pid)), SECONDS, "the part")


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_changed_code_is_served_and_broken_code_says_so(running: tuple[World, Process]) -> None:
    world, process = running
    app = world.project / "app.py"
    text = app.read_text()

    app.write_text(text.replace('"version": "1"', '"version": "2"'))
    until(lambda: version(world) == "2", SECONDS, "the new version")
    app.write_text(text + "\nraise RuntimeError('half-written')\n")
    until(lambda: request(world.url + "/health").status == 503, SECONDS, "the broken version")
    app.write_text(text)
    until(lambda: version(world) == "1", SECONDS, "the old version")

    assert "half-written" in process.text()


def version(world: World) -> str | None:
    answer = request(world.url + "/health")
    found: str | None = answer.json().get("version")
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_survives_the_stack(world: World, number: signal.Signals) -> None:
    process = world.up()
    children = descendants(process.pid)
    assert len(children) >= 3

    os.kill(process.pid, number)

    until(lambda: process.code() is not None and not alive(children), SECONDS, f"{alive(children)} to end")
    if number != signal.SIGKILL:
        assert process.code() == 0
        assert not world.stack_file.exists()
