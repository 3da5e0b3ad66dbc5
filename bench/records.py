"""The records that are sent and stored: about 250 bytes of JSON, 430 bytes as an item, one in ten WARN or above."""

import json
import uuid
from typing import Any

LEVELS = ("INFO", "INFO", "INFO", "DEBUG", "INFO", "INFO", "INFO", "DEBUG", "INFO", "ERROR")
SERVICES = ("payments", "checkout", "search", "mail")
COLUMNS = ("sk", "service_name", "timestamp", "log_id", "log_type", "level", "message", "metadata")


def entry(number: int) -> dict[str, Any]:
    """A record as a caller sends it; the same number is always the same record."""
    return {
        "service_name": SERVICES[number % len(SERVICES)],
        "log_type": "application",
        "level": LEVELS[number % len(LEVELS)],
        "message": f"request {number} was answered after {number % 977} ms by worker {number % 13}",
        "metadata": {"order": number, "retry": False, "path": "/v1/orders", "host": f"ip-10-0-{number % 200}-17"},
    }


def log_id(number: int) -> str:
    """The identifier of a stored record."""
    return str(uuid.UUID(int=number, version=4))


def one(number: int = 0) -> bytes:
    """The body of POST /logs."""
    return _json(entry(number))


def batch(size: int) -> bytes:
    """The body of POST /logs/batch."""
    return _json({"logs": [entry(number) for number in range(size)]})


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
