"""What callers send: records, batches, questions."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import from_json

from common.errors import BadRequest, ValidationFailed
from common.web.hostile import faults, lenient, printable, text_problem
from common.web.parsing import failure, validated

from ..domain import NAMES, Filters, Level, Record, level_of, parse_instant, wanted_levels

MOST_RECORDS = 1000
NDJSON = "application/x-ndjson"
MOST_MESSAGE_BYTES = 64 * 1024
DEEPEST_METADATA = 16
NUMBER = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.\d{1,6})?", re.ASCII)
INTEGER = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)
SPACE_FOR_PLUS = re.compile(r"(?<=\d) (?=\d\d:\d\d$)")
EXAMPLE: dict[str, Any] = {
    "service_name": "payments",
    "log_type": "application",
    "level": "ERROR",
    "message": "card declined",
    "metadata": {"order": 1017, "retry": False},
}


def _level(value: object) -> Level:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004  # pydantic turns ValueError into a named fault
    return level_of(value)


def _message(value: str) -> str:
    problem = text_problem(value)
    if problem:
        raise ValueError(problem)
    if len(value) * 4 > MOST_MESSAGE_BYTES and len(value.encode()) > MOST_MESSAGE_BYTES:
        raise ValueError("is over 64 KiB of UTF-8")
    return value


def _metadata(value: object) -> str:
    """Canonical JSON of an object within the limits; JSON text keeps every number as it was sent."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")  # noqa: TRY004  # as in _level
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return _checked(value)
    return text.decode() if _is_plain(text) else _checked(value)


def _is_plain(text: bytes) -> bool:
    """Whether the text itself shows that nothing is wrong: no number that became null, no U+0000, not deep."""
    return b"null" not in text and rb"\u0000" not in text and text.count(b"{") + text.count(b"[") <= DEEPEST_METADATA


def _checked(value: dict[str, Any]) -> str:
    if _depth(value) > DEEPEST_METADATA:
        raise ValueError(f"is more than {DEEPEST_METADATA} levels deep")
    for path, problem in faults(value):
        raise ValueError(f"{'.'.join(map(printable, path))} {problem}")
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # an integer over 64 bits
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _depth(value: object) -> int:
    deepest, level = 0, [value]
    while level and deepest <= DEEPEST_METADATA:
        deepest += 1
        level = [part for whole in level for part in _parts(whole) if isinstance(part, dict | list)]
    return deepest


def _parts(value: object) -> Iterable[object]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def _integer(value: object) -> int:
    if not isinstance(value, str) or not INTEGER.fullmatch(value):
        raise ValueError("must be a whole number")
    return int(value)


def _number(value: object) -> float:
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise ValueError("must be a number")
    return float(value)


def _instant(value: object) -> int:
    return parse_instant(value if isinstance(value, str) else "")


def _moment(value: object) -> int:
    return _instant(SPACE_FOR_PLUS.sub("+", value) if isinstance(value, str) else value)


LEVEL_SCHEMA = {"type": "string", "enum": list(NAMES), "description": "In any case."}
TIME_SCHEMA = {"type": "string", "format": "date-time"}
ServiceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}$", examples=["payments"])]
LogType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$", examples=["application"])]
LevelIn = Annotated[Level, BeforeValidator(_level), WithJsonSchema(LEVEL_SCHEMA)]
Message = Annotated[str, Field(min_length=1, max_length=MOST_MESSAGE_BYTES), AfterValidator(_message)]
Metadata = Annotated[
    str,
    BeforeValidator(_metadata),
    WithJsonSchema({"type": "object", "description": f"At most {DEEPEST_METADATA} levels deep"}),
]
LogId = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
        json_schema_extra={"format": "uuid"},
    ),
    AfterValidator(str.lower),
]
Moment = Annotated[int, BeforeValidator(_moment), WithJsonSchema(TIME_SCHEMA)]
InstantIn = Annotated[
    int,
    BeforeValidator(_instant),
    WithJsonSchema({**TIME_SCHEMA, "description": "At most 2 h ahead, at most the retention (90 days) ago."}),
]
PageLimit = Annotated[int, BeforeValidator(_integer), Field(ge=1, le=1000)]
CursorText = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,1024}$", description="nextCursor of another page")]


class LogIn(BaseModel):
    """One log record."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    service_name: ServiceName
    log_type: LogType
    level: LevelIn
    message: Message
    timestamp: InstantIn | None = None
    metadata: Metadata = Field(default="{}", json_schema_extra={"default": {}})
    log_id: LogId | None = None

    def record(self, caller: str, instant: int, log_id: str) -> Record:
        """The entity; `instant` (microseconds) and `log_id` are used where the caller gave none."""
        return Record(
            service_name=self.service_name,
            log_type=self.log_type,
            level=self.level,
            message=self.message,
            metadata=self.metadata,
            log_id=self.log_id or log_id,
            instant=instant if self.timestamp is None else self.timestamp,
            caller=caller,
        )


class BatchIn(BaseModel):
    """Up to 1,000 records; each is judged alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    logs: list[LogIn] = Field(min_length=1, max_length=MOST_RECORDS)


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that cannot be taken, and why, in a sentence."""

    message: str
    log_id: str | None = None


class _Where(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    service_name: ServiceName | None = None
    log_type: LogType | None = None
    level: tuple[LevelIn, ...] = Field(default=(), description="Any of these; repeat the parameter")
    min_level: LevelIn | None = Field(default=None, description="At least this")

    def filters(self) -> Filters:
        """The entity; raises ValidationFailed when the two level parameters exclude each other."""
        try:
            return Filters(self.service_name, self.log_type, wanted_levels(self.level, self.min_level))
        except ValueError as error:
            raise ValidationFailed.of("min_level", str(error)) from None


class RecentQuery(_Where):
    """The question of GET /logs/recent."""

    since: Moment | None = Field(default=None, description="The earliest instant, included")
    until: Moment | None = Field(default=None, description="The latest instant, included")
    hours: Annotated[int, BeforeValidator(_integer), Field(ge=1, le=168)] | None = Field(
        default=None, description="How far back; 24 unless `since` is given"
    )
    limit: PageLimit = 100
    cursor: CursorText | None = None


class TailQuery(_Where):
    """The question of GET /logs/tail."""

    cursor: CursorText | None = None
    limit: PageLimit = 100
    wait: Annotated[float, BeforeValidator(_number), Field(ge=0, le=20)] = Field(default=0, description="Seconds")


class NoQuery(BaseModel):
    """A question without parameters."""


def read_batch(raw: bytes, media: str) -> list[LogIn | Fault]:
    """The records of a batch in either encoding, each judged alone.

    Raises BadRequest or ValidationFailed for the batch itself.
    """
    return _ndjson(raw) if media == NDJSON else _json(raw)


def media_type(content_type: str) -> str:
    """`application/json` from `Application/JSON; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def _json(raw: bytes) -> list[LogIn | Fault]:
    try:
        return list(BatchIn.model_validate_json(raw).logs)
    except ValidationError:
        return _one_by_one(raw)


def _one_by_one(raw: bytes) -> list[LogIn | Fault]:
    try:
        shell = from_json(raw)
    except ValueError:
        shell = lenient(raw)
    if not isinstance(shell, dict):
        raise ValidationFailed.of("body", 'must be an object: {"logs": [...]}')
    records = validated(_Shell, shell).logs
    return [judged(record) for record in records]


class _Shell(BaseModel):
    model_config = ConfigDict(extra="forbid")

    logs: list[Any] = Field(min_length=1, max_length=MOST_RECORDS)


def judged(record: object) -> LogIn | Fault:
    """A record, or why it is none."""
    try:
        return LogIn.model_validate(record)
    except ValidationError as error:
        return Fault(failure(error).message, _given_id(record))


def _given_id(record: object) -> str | None:
    given = record.get("log_id") if isinstance(record, dict) else None
    return given if isinstance(given, str) and given.isascii() and given.isprintable() and len(given) <= 64 else None  # noqa: PLR2004  # longer is no identifier worth repeating


def _ndjson(raw: bytes) -> list[LogIn | Fault]:
    """The records of newline-delimited JSON, each line judged alone; empty lines do not count."""
    lines = [line for line in raw.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    if not 1 <= len(lines) <= MOST_RECORDS:
        raise ValidationFailed.of("body", f"must hold 1 to {MOST_RECORDS} lines")
    return [_line(line) for line in lines]


def _line(line: bytes) -> LogIn | Fault:
    try:
        return LogIn.model_validate_json(line)
    except ValidationError:
        pass
    try:
        return judged(lenient(line))
    except BadRequest as error:
        return Fault(error.message)
