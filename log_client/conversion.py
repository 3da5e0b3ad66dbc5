"""A `logging.LogRecord` as a record of log_service."""

import json
import logging
import time
import traceback
import uuid

from .records import EMPTY_MESSAGE, MESSAGE_BYTES, RECORD_BYTES, Record, clipped, instant, well_formed
from .safe_json import Json, safe_json, safe_text

STACK_BYTES = 48 * 1024
ROOM = RECORD_BYTES - 16 * 1024  # the service counts its own way: keep clear of its limit
KEPT = frozenset({"logger", "location", "exception", "message_bytes"})
OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
STANDARD_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "NOTSET"})


def record_of(entry: logging.LogRecord, service_name: str, log_type: str) -> Record:
    """The complete record: exact for what log_service can hold, cut and noted in `metadata` where it cannot."""
    metadata = _metadata(entry)
    return {
        "service_name": service_name,
        "log_type": log_type,
        "level": level_of(entry.levelno),
        "message": _message(entry, metadata),
        "timestamp": _timestamp(entry),
        "log_id": str(uuid.uuid4()),
        "metadata": _bounded(metadata),
    }


def level_of(number: int) -> str:
    """The level at or below a number of `logging`: 10 is DEBUG, 25 INFO, 50 and above FATAL."""
    thresholds = ((50, "FATAL"), (40, "ERROR"), (30, "WARN"), (20, "INFO"), (10, "DEBUG"))
    return next((name for least, name in thresholds if number >= least), "TRACE")


def _timestamp(entry: logging.LogRecord) -> str:
    try:
        return instant(entry.created)
    except (ValueError, OverflowError, TypeError, OSError):
        return instant(time.time())


def _message(entry: logging.LogRecord, metadata: dict[str, Json]) -> str:
    try:
        text = entry.getMessage()
    except Exception as error:  # noqa: BLE001 - arguments that do not fit the format, or a foreign __str__
        metadata["format_error"] = safe_text(f"{type(error).__name__}: {safe_text(error)}")
        text = safe_text(entry.msg)
    text = well_formed(text)
    whole = len(text.encode()) if len(text) * 4 > MESSAGE_BYTES else 0
    if whole > MESSAGE_BYTES:
        metadata["message_bytes"] = whole
        metadata["truncated"] = f"message cut to {MESSAGE_BYTES} bytes"
    return clipped(text, MESSAGE_BYTES) or EMPTY_MESSAGE


def _metadata(entry: logging.LogRecord) -> dict[str, Json]:
    metadata: dict[str, Json] = {"logger": safe_text(entry.name)}
    if entry.pathname:
        metadata["location"] = f"{safe_text(entry.pathname)}:{entry.lineno} {safe_text(entry.funcName)}"
    if entry.process:
        metadata.update(process=entry.process, thread=safe_text(entry.threadName))
    if entry.levelname not in STANDARD_LEVELS:
        metadata["level_name"] = safe_text(entry.levelname)
    if getattr(entry, "taskName", None):
        metadata["task"] = safe_text(entry.taskName)
    if entry.exc_info or entry.exc_text:
        metadata["exception"] = _exception(entry)
    if entry.stack_info:
        metadata["stack"] = _stack(entry.stack_info)
    return _with_extra(metadata, entry)


def _with_extra(metadata: dict[str, Json], entry: logging.LogRecord) -> dict[str, Json]:
    extra = safe_json({name: value for name, value in vars(entry).items() if name not in OWN_FIELDS})
    for name, value in (extra if isinstance(extra, dict) else {}).items():
        metadata[f"extra.{name}" if name in metadata else name] = value
    return metadata


def _exception(entry: logging.LogRecord) -> Json:
    kind, error, trace = entry.exc_info if isinstance(entry.exc_info, tuple) else (None, None, None)
    if kind is None:
        return {"stack_trace": _stack(entry.exc_text or "")}
    try:
        text = entry.exc_text or "".join(traceback.format_exception(kind, error, trace))
    except Exception as broken:  # noqa: BLE001 - a foreign exception may fail to show itself
        text = f"(no stack trace: {type(broken).__name__})"
    return {"type": f"{kind.__module__}.{kind.__qualname__}", "message": safe_text(error), "stack_trace": _stack(text)}


def _stack(text: str) -> str:
    """The text without its last line end; of one too long the end, where the innermost frames are."""
    whole = well_formed(text.rstrip("\n")).encode()
    if len(whole) <= STACK_BYTES:
        return whole.decode()
    return "(cut) " + whole[-STACK_BYTES:].decode(errors="ignore")


def _bounded(metadata: dict[str, Json]) -> dict[str, Json]:
    size = len(json.dumps(metadata, ensure_ascii=False).encode())
    if size <= ROOM - MESSAGE_BYTES:
        return metadata
    kept = {name: value for name, value in metadata.items() if name in KEPT}
    kept["truncated"] = f"{size} bytes of metadata left out"
    return kept
