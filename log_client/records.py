"""The record as log_service wants it: names, levels, instants, sizes."""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}")
LOG_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
ALIASES = {"WARNING": "WARN", "CRITICAL": "FATAL"}
MESSAGE_BYTES = 64 * 1024
RECORD_BYTES = 256 * 1024
EMPTY_MESSAGE = "(empty)"

Record = dict[str, object]


def checked_service_name(name: str) -> str:
    """Return the name, or raise ValueError when log_service would refuse it."""
    if not SERVICE_NAME.fullmatch(name):
        raise ValueError(f"service_name {name!r} must match {SERVICE_NAME.pattern}")
    return name


def checked_log_type(log_type: str) -> str:
    """Return the type, or raise ValueError when log_service would refuse it."""
    if not LOG_TYPE.fullmatch(log_type):
        raise ValueError(f"log_type {log_type!r} must match {LOG_TYPE.pattern}")
    return log_type


def checked_level(level: str) -> str:
    """Return the level by its one name, or raise ValueError: any case is taken, WARNING and CRITICAL too."""
    name = ALIASES.get(level.upper(), level.upper())
    if name not in LEVELS:
        raise ValueError(f"level {level!r} must be one of {', '.join(LEVELS)}")
    return name


def instant(seconds: float) -> str:
    """RFC 3339 UTC with six fractional digits, of seconds since 1970. ValueError or OverflowError out of range."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def well_formed(text: str) -> str:
    """The text with U+FFFD for U+0000 and each lone surrogate, which log_service refuses."""
    text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clipped(text: str, limit: int) -> str:
    """The longest beginning of the text that takes at most `limit` bytes of UTF-8."""
    if len(text) * 4 <= limit:
        return text
    return text.encode()[:limit].decode(errors="ignore")


class Stamps:
    """Instants for records that have none: the present, in whole microseconds, each later than the one before."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last = 0

    def next(self) -> str:
        """The next instant, so that records come out in the order in which they went in."""
        self._last = max(int(self._now() * 1_000_000), self._last + 1)
        seconds, micros = divmod(self._last, 1_000_000)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micros:06d}Z"


def identified(record: Mapping[str, object], stamps: Stamps) -> Record:
    """The record with `log_id` and `timestamp`, without which sending it twice would store it twice."""
    complete = dict(record)
    if complete.get("log_id") is None:
        complete["log_id"] = str(uuid.uuid4())
    if complete.get("timestamp") is None:
        complete["timestamp"] = stamps.next()
    return complete
