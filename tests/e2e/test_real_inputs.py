"""Real logs go in through log_client, library and command line, and come out byte for byte, in order."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from log_client import LogClient, LogServiceHandler

from .calling import Api, unique

OWN = Path(__file__).parent / "data" / "lines.log"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOG_SERVICE"))}


def command(url: str, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """`python -m log_client`."""
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "log_client", *arguments, "--no-sign"],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        env={**CLEAN, "LOG_SERVICE_URL": url},
    )


def lines_of(file: Path) -> list[str]:
    return [line.removesuffix(b"\r").decode() for line in file.read_bytes().split(b"\n") if line.strip()]


def check_file(url: str, service: str, file: Path) -> None:
    """Send the file by the command line; find it by the library and by the command line."""
    lines = lines_of(file)

    sent = command(url, "send", "--lines", "--service", service, str(file))
    client = LogClient(url, sign=False)
    found = [str(log["message"]) for log in client.recent(service_name=service, limit=999)]
    client.close()
    shown = command(url, "recent", "--service", service, "--all", "--json")

    assert (sent.returncode, sent.stderr) == (0, b"")
    assert f"sent {len(lines)}" in sent.stdout.decode()
    assert found == lines[::-1]
    assert [json.loads(line)["message"] for line in shown.stdout.splitlines()] == lines[::-1]


def test_lines_of_every_kind_come_out_byte_for_byte_in_order(url: str, service: str) -> None:
    check_file(url, service, OWN)


@pytest.mark.parametrize("name", ["openssh_2k.log", "zookeeper_2k.log"])
def test_2000_lines_of_real_logs_come_out_byte_for_byte_in_order(
    url: str, service: str, shared_data: Path, name: str
) -> None:
    check_file(url, service, shared_data / "logs" / name)


def test_the_library_sends_twice_and_stores_once(url: str, service: str) -> None:
    client = LogClient(url, sign=False)
    numbers = {"int": 2**53 + 1, "negative": -(10**30), "half": 0.5, "tiny": 1e-300, "yes": True, "none": None}
    records = [
        client.identified(
            {
                "service_name": service,
                "log_type": "audit",
                "level": "INFO",
                "message": line,
                "metadata": {"line": number, "numbers": numbers, "text": line[:100]},
            }
        )
        for number, line in enumerate(lines_of(OWN))
    ]

    for _ in range(2):
        report = client.send(records)
        assert report.rejected == ()
    found = list(client.recent(service_name=service))
    client.close()

    assert [log["metadata"] for log in found] == [record["metadata"] for record in reversed(records)]
    assert [log["log_id"] for log in found] == [record["log_id"] for record in reversed(records)]
    assert [type(log["metadata"]["numbers"]["int"]) for log in found] == [int] * len(found)


def test_the_handler_brings_a_programs_log_with_its_exceptions(url: str, service: str) -> None:
    client = LogClient(url, sign=False)
    handler = LogServiceHandler(client, service)
    logger = logging.getLogger(service)
    logger.addHandler(handler)

    logger.warning("disk at %d %%", 93, extra={"disk": "/dev/sda1"})
    try:
        int("bad")
    except ValueError:
        logger.exception("it failed")
    handler.flush()
    found = list(client.recent(service_name=service))
    handler.close()
    logger.removeHandler(handler)
    client.close()

    assert [(log["level"], log["message"]) for log in found] == [("ERROR", "it failed"), ("WARN", "disk at 93 %")]
    assert found[1]["metadata"]["disk"] == "/dev/sda1"
    assert "ValueError: invalid literal" in json.dumps(found[0]["metadata"])
    assert handler.dropped == 0


def test_the_command_line_follows_what_comes(url: str, api: Api) -> None:
    service = unique("followed")
    tail = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "log_client", "tail", "--service", service, "--json", "--no-sign"],
        stdout=subprocess.PIPE,
        env={**CLEAN, "LOG_SERVICE_URL": url, "PYTHONUNBUFFERED": "1"},
    )
    assert tail.stdout
    try:
        while not select_ready(tail.stdout.fileno()):
            assert command(url, "send", "--service", service, given=b"come\n").returncode == 0
        first = json.loads(tail.stdout.readline())
    finally:
        tail.terminate()
        tail.stdout.close()
        tail.wait(20)

    assert (first["message"], first["service_name"]) == ("come", service)
    assert api.walk(service_name=service)


def select_ready(descriptor: int, seconds: float = 1.0) -> bool:
    """Whether something can be read now or within a moment."""
    import select  # noqa: PLC0415

    return bool(select.select([descriptor], [], [], seconds)[0])
