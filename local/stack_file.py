"""What is running: `.local/stack.json` for programs, a table and the first requests for people."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from local import settings

JSON = "-H 'Content-Type: application/json'"
ONE = '{"service_name": "shop", "log_type": "application", "level": "INFO", "message": "hello"}'
TWO = '{"service_name": "shop", "log_type": "security", "level": "WARN", "message": "two", "metadata": {"attempt": 2}}'
THREE = '{"service_name": "shop", "log_type": "application", "level": "ERROR", "message": "three"}'
FIRST_VISIT = {
    "log_service": (
        f"curl -s URL/logs {JSON} -d '{ONE}'",
        f"curl -s URL/logs/batch {JSON} -d '{{\"logs\": [{TWO}, {THREE}]}}'",
        "curl -s 'URL/logs/recent?service_name=shop&min_level=INFO&limit=10'",
        "curl -s 'URL/logs/tail?service_name=shop&wait=20'   # meanwhile, POST a log in another terminal",
    ),
}


def describe(applications: list[str]) -> dict[str, Any]:
    """The running stack, in the shape of the contract."""
    return {
        "endpoints": {name: url(name) for name in applications},
        "aws_endpoint": url(settings.ENGINE),
        "api_keys": {},
        "cognito": {},
        "users": [],
        "simulators": {},
    }


def url(part: str) -> str:
    """Where a part answers."""
    return f"http://{settings.HOST}:{settings.port(part)}"


def write(stack: dict[str, Any]) -> None:
    """Write the file in one step: whoever sees it sees all of it."""
    file = settings.stack_file()
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(stack, indent=2) + "\n")
    fresh.replace(file)


def remove() -> None:
    """The stack is not ready, or no longer."""
    with contextlib.suppress(FileNotFoundError):
        settings.stack_file().unlink()


def read() -> dict[str, Any]:
    """The running stack.

    Raises:
        SystemExit: Nothing is running.
    """
    file = settings.stack_file()
    if not file.exists():
        raise SystemExit("The stack is not running. Start it in another terminal: make up")
    stack: dict[str, Any] = json.loads(file.read_text())
    return stack


def table(stack: dict[str, Any]) -> str:
    """The URLs, and the lines of a first visit."""
    rows = {
        **stack["endpoints"],
        "AWS (test/test)": stack["aws_endpoint"],
        "this, as JSON": shown(settings.stack_file()),
    }
    width = max(map(len, rows))
    lines = ["", *(f"  {name.ljust(width)}  {where}" for name, where in rows.items())]
    for name, where in stack["endpoints"].items():
        visit = FIRST_VISIT.get(name, ("curl -s URL/health",))
        lines += ["", f"  {name}:", *(f"    {line.replace('URL', where)}" for line in visit)]
    return "\n".join([*lines, "", "  Ready. Ctrl-C stops everything.", ""])


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    return os.path.relpath(path)
