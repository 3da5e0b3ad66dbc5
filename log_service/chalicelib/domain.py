"""What a log record is, whatever stores it: levels, instants, identity, retention. Pure."""

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cached_property, lru_cache

from common.clock import EPOCH, rfc3339, to_us

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US
MOST_AHEAD_US = 2 * HOUR_US
LARGEST_RECORD_BYTES = 256 * 1024
OVERHEAD_BYTES = 512
POSITION_DIGITS = 16
LAST_INSTANT = 10**POSITION_DIGITS - 1
IDENTITY_BYTES = 16
NAMESPACE = uuid.UUID("6f4c1a52-54fb-5d0b-9f0e-6a4f5a0f7a11")
UTF8_MOST = 4

_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2}))", re.ASCII
)


class Level(IntEnum):
    """How grave a record is; the numbers are the first of each OpenTelemetry severity range."""

    TRACE = 1
    DEBUG = 5
    INFO = 9
    WARN = 13
    ERROR = 17
    FATAL = 21

    @property
    def is_severe(self) -> bool:
        """WARN and above have indexes of their own."""
        return self >= Level.WARN


ALIASES = {"WARNING": "WARN", "CRITICAL": "FATAL"}
NAMES: Mapping[str, Level] = {level.name: level for level in Level} | {a: Level[n] for a, n in ALIASES.items()}


def level_of(name: str) -> Level:
    """The level a caller named, in any case; raises ValueError."""
    level = NAMES.get(name.upper()) if name.isascii() else None  # U+0131 in capitals is an I
    if level is None:
        raise ValueError(f"must be one of {', '.join(NAMES)}")
    return level


def parse_instant(text: str) -> int:
    """RFC 3339 with any offset as microseconds since 1970; finer digits are cut, a leap second is the last microsecond.

    Raises ValueError.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be RFC 3339, as 2026-02-03T04:05:06.000007Z")
    year, month, day, hour, minute, second, fraction, zulu, sign, off_hour, off_minute = match.groups()
    micros, leap = int((fraction or "").ljust(6, "0")[:6]), second == "60"
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), 59 if leap else int(second), tzinfo=UTC)
    instant = to_us(moment) + (SECOND_US - 1 if leap else micros)
    if zulu:
        return instant
    if int(off_hour) > 23 or int(off_minute) > 59:  # noqa: PLR2004  # hours of a day, minutes of an hour
        raise ValueError("has an offset that does not exist")
    offset = (int(off_hour) * 60 + int(off_minute)) * 60 * SECOND_US
    return instant - offset if sign == "+" else instant + offset


@dataclass(frozen=True)
class Record:
    """One log record as it is kept. `metadata` is canonical JSON (sorted names, no spaces)."""

    service_name: str
    log_type: str
    level: Level
    message: str
    metadata: str
    log_id: str
    instant: int
    caller: str

    @cached_property
    def timestamp(self) -> str:
        """The instant for people."""
        return rfc3339(self.instant)

    @cached_property
    def identity(self) -> str:
        """Equal for the same record from the same principal, different for any other: records are never replaced."""
        origin = (self.log_id, self.service_name, self.log_type, self.level.name, self.caller)
        said = "\x00".join((*origin, self.metadata, self.message))
        return hashlib.blake2b(said.encode(), digest_size=IDENTITY_BYTES).hexdigest()

    @cached_property
    def position(self) -> str:
        """Where it stands in time: the instant, then the identity. Sorts as text."""
        return f"{at(self.instant)}#{self.identity}"

    @property
    def is_too_large(self) -> bool:
        """Over 256 KiB of UTF-8."""
        if UTF8_MOST * (len(self.message) + len(self.metadata)) + OVERHEAD_BYTES <= LARGEST_RECORD_BYTES:
            return False
        return len(self.message.encode()) + len(self.metadata.encode()) + OVERHEAD_BYTES > LARGEST_RECORD_BYTES


def at(instant: int) -> str:
    """The position before every record of this instant and after every earlier one; 2286 is as late as it gets."""
    return f"{min(max(instant, 0), LAST_INSTANT):0{POSITION_DIGITS}d}"


def instant_of(position: str) -> int:
    """The instant of a position, in microseconds."""
    return int(position[:POSITION_DIGITS])


def day_of(instant: int) -> str:
    """`20260203`, in UTC."""
    return _day(instant // DAY_US)


@lru_cache(maxsize=512)
def _day(number: int) -> str:
    return (EPOCH + timedelta(days=number)).strftime("%Y%m%d")


def hour_of(instant: int) -> str:
    """`04`, in UTC."""
    return f"{instant // HOUR_US % 24:02d}"


def days_between(first: int, last: int) -> list[str]:
    """Every day that the instants from first to last touch, oldest first."""
    return [day_of(number * DAY_US) for number in range(first // DAY_US, last // DAY_US + 1)]


def start_of_day(day: str) -> int:
    """The first instant of `20260203`."""
    return to_us(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC))


def derived_id(caller: str, key: str, index: int) -> str:
    """The log_id of a record that came without one, under an Idempotency-Key: the same at every attempt."""
    return str(uuid.uuid5(NAMESPACE, f"{caller}\x00{key}\x00{index}"))


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days records are kept: a service's rule wins, then the level's, then the default."""

    default_days: int
    levels: Mapping[Level, int] = field(default_factory=dict)
    services: Mapping[str, int] = field(default_factory=dict)

    def days(self, service_name: str, level: Level) -> int:
        """For one kind of record."""
        by_service = self.services.get(service_name)
        return by_service if by_service is not None else self.levels.get(level, self.default_days)

    @property
    def longest(self) -> int:
        """No record is kept for more days than this."""
        return max((self.default_days, *self.levels.values(), *self.services.values()))

    @property
    def shortest(self) -> int:
        """No record is kept for fewer days than this."""
        return min((self.default_days, *self.levels.values(), *self.services.values()))

    def expires_at(self, record: Record) -> int:
        """When the store may forget it: seconds since 1970."""
        return (record.instant + self.days(record.service_name, record.level) * DAY_US) // SECOND_US

    def problem(self, record: Record, now: int) -> str | None:
        """Why this record's timestamp is refused, if it is."""
        if record.instant > now + MOST_AHEAD_US:
            return "is more than 2 hours ahead"
        days = self.days(record.service_name, record.level)
        if record.instant < now - days * DAY_US:
            return f"is older than the {days} days that such records are kept"
        return None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which records a reader wants, time aside. Empty `levels` means every level."""

    service_name: str | None = None
    log_type: str | None = None
    levels: frozenset[Level] = frozenset()

    @property
    def only_severe(self) -> bool:
        """Whether the indexes of WARN and above serve it."""
        return bool(self.levels) and all(level.is_severe for level in self.levels)

    def as_json(self) -> dict[str, object]:
        """For a fingerprint."""
        return {"s": self.service_name, "t": self.log_type, "l": sorted(self.levels)}


def wanted_levels(named: Iterable[Level], least: Level | None) -> frozenset[Level]:
    """The levels that `level` (any of these) and `min_level` (at least this) ask for together; empty means every level.

    Raises ValueError when no level is both.
    """
    wanted = frozenset(level for level in (frozenset(named) or frozenset(Level)) if least is None or level >= least)
    if not wanted:
        raise ValueError("no level is both one of `level` and at least `min_level`")
    return frozenset() if wanted == frozenset(Level) else wanted


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record of a batch: stored, duplicate (twice in this batch) or rejected."""

    status: str
    log_id: str | None
    error: str | None = None
    retryable: bool = False
