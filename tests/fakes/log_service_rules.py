"""The limits and the words of the contract that the fake log_service keeps."""

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

SENT_BYTES = 4 * 1024 * 1024
INFLATED_BYTES = 5 * 1024 * 1024
BATCH_RECORDS = 1_000
RECORD_BYTES = 256 * 1024
MESSAGE_BYTES = 64 * 1024
RANKS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "ERROR": 4, "FATAL": 5}
SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}")

Record = dict[str, Any]


def inflated(body: bytes) -> bytes | None:
    if not body.startswith(b"\x1f\x8b"):
        return body
    inflater = zlib.decompressobj(wbits=31)
    raw = inflater.decompress(body, INFLATED_BYTES + 1)
    assert raw == gzip.decompress(body) or len(raw) > INFLATED_BYTES
    return raw if len(raw) <= INFLATED_BYTES else None


def record_error(record: Record) -> str:
    message = record.get("message")
    if not isinstance(message, str) or not message:
        return "message is missing"
    if len(message.encode()) > MESSAGE_BYTES:
        return "message is longer than 64 KiB"
    if "\\u0000" in json.dumps(record):
        return "the record holds the character U+0000"
    if str(record.get("level")).upper() not in RANKS:
        return "level is unknown"
    if not SERVICE_NAME.fullmatch(str(record.get("service_name"))):
        return "service_name is not valid"
    return "the record is larger than 256 KiB" if len(json.dumps(record)) > RECORD_BYTES else ""


def matches(record: Record, query: Mapping[str, list[str]]) -> bool:
    least = RANKS[query.get("min_level", ["TRACE"])[0]]
    return (
        record["service_name"] in query.get("service_name", [record["service_name"]])
        and record["log_type"] in query.get("log_type", [record["log_type"]])
        and record["level"] in query.get("level", [record["level"]])
        and RANKS[record["level"]] >= least
    )


def key(record: Record) -> str:
    return str(record["timestamp"]) + str(record["log_id"])


def envelope(error: str, code: str, details: list[tuple[str, str]] | None = None) -> Record:
    listed = [{"field": name, "message": message} for name, message in details or []]
    return {"success": False, "error": error, "code": code, "requestId": "req-1", "details": listed}
