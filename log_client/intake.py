"""Lines of text or NDJSON as records of log_service: multi-line records joined, levels read off the text."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NoReturn

from .lines import PAUSE, Line, Pause
from .records import ALIASES, LEVELS, MESSAGE_BYTES, Record, well_formed

CONTINUES = re.compile(rb"[ \t\v\f]|Traceback \(most recent call last\)|Caused by")
TRACE_BEGINS = re.compile(rb"\s*Traceback \(most recent call last\)")
TRACE_ENDS = re.compile(rb"[A-Za-z_][\w.]*(:|$)")
WORDS = "|".join((*LEVELS, *ALIASES, "NOTICE", "SEVERE"))
# The usual places: a whole word in capitals, first or soon after a time; any case in brackets or after `level=`.
PLAIN = re.compile(rf"((?:\S+[ \t]+){{0,8}}?)[\[(<]*({WORDS})[\])>:,|]*(?=[ \t:]|$)")
MARKED = re.compile(rf".{{0,80}}?(?:[\[(<]|\blevel=\"?)({WORDS})(?:[\])>\" ]|$)", re.IGNORECASE)
TIME_DIGITS = 4
OTHER_NAMES = ALIASES | {"NOTICE": "INFO", "SEVERE": "ERROR"}


@dataclass(frozen=True, slots=True)
class Intake:
    """How lines become records: `level` where none is guessed or given, `join` for multi-line records."""

    service_name: str
    log_type: str = "application"
    level: str = "INFO"
    guess_level: bool = True
    join: bool = True
    style: str = "auto"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, or the reason why its line cannot be one, and where it came from."""

    number: int
    record: Record = field(default_factory=dict)
    error: str = ""


@dataclass(slots=True)
class Counts:
    """What was met on the way; `undecodable`: records with bytes that are not UTF-8, or U+0000."""

    blank: int = 0
    undecodable: int = 0


type Input = Iterable[Line | Pause]


def entries(lines: Input, intake: Intake, counts: Counts) -> Iterator[Entry | Pause]:
    """The records of the lines, in order; a pause where the input pauses. The style is that of the first line."""
    walk = iter(lines)
    passed: list[Line | Pause] = []
    for line in walk:
        passed.append(line)
        if isinstance(line, Line) and not line.blank:
            break
    style = intake.style if intake.style != "auto" else _style_of(passed)
    rest = chain(passed, walk)
    return _ndjson(rest, intake, counts) if style == "ndjson" else _text(rest, intake, counts)


def guessed_level(message: str) -> str | None:
    """The level that the first line of a message names at a usual place."""
    line = message[:400].split("\n", 1)[0]
    word = None
    if (plain := PLAIN.match(line)) and (not plain[1] or sum(map(str.isdigit, plain[1])) >= TIME_DIGITS):
        word = plain[2]
    elif marked := MARKED.match(line):
        word = marked[1].upper()
    return OTHER_NAMES.get(word, word) if word else None


def _style_of(passed: list[Line | Pause]) -> str:
    first = passed[-1] if passed else PAUSE
    if isinstance(first, Line) and first.body.startswith(b"{"):
        return "ndjson" if "message" in (_parsed(first).record or ()) else "text"
    return "text"


def _parsed(line: Line) -> Entry:
    if line.cut:
        return Entry(line.number, error="the line is longer than a record may be")
    try:
        value = json.loads(line.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return Entry(line.number, error=f"is not JSON: {error}")
    return Entry(line.number, value) if isinstance(value, dict) else Entry(line.number, error="is not a JSON object")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _ndjson(lines: Input, intake: Intake, counts: Counts) -> Iterator[Entry | Pause]:
    defaults: dict[str, Any] = {
        "service_name": intake.service_name,
        "log_type": intake.log_type,
        "level": intake.level,
    }
    for line in lines:
        if isinstance(line, Pause):
            yield line
        elif line.blank:
            counts.blank += 1
        else:
            entry = _parsed(line)
            yield entry if entry.error else Entry(entry.number, {**defaults, **entry.record})


def _text(lines: Input, intake: Intake, counts: Counts) -> Iterator[Entry | Pause]:
    group = _Group()
    for line in lines:
        if isinstance(line, Line) and intake.join and group.takes(line):
            group.add(line)
            continue
        if group.lines:
            yield _entry(group, intake, counts)
        group = _Group()
        if isinstance(line, Pause):
            yield line
        elif line.blank:
            counts.blank += 1
        else:
            group.add(line)
    if group.lines:
        yield _entry(group, intake, counts)


class _Group:
    """The lines of one record."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._size = 0
        self._in_trace = False

    def takes(self, line: Line) -> bool:
        """Whether the line goes on with this record: indented, a stack trace, or the last line of one."""
        if not self.lines or line.blank or self._size + len(line.body) + 2 > MESSAGE_BYTES or self.lines[-1].cut:
            return False
        return bool(CONTINUES.match(line.body) or (self._in_trace and TRACE_ENDS.match(line.body)))

    def add(self, line: Line) -> None:
        """Append the line."""
        self._in_trace = bool(TRACE_BEGINS.match(line.body)) or (self._in_trace and line.body[:1].isspace())
        self.lines.append(line)
        self._size += len(line.body) + len(line.end)


def _entry(group: _Group, intake: Intake, counts: Counts) -> Entry:
    first, last = group.lines[0], group.lines[-1]
    raw = b"".join(line.body + line.end for line in group.lines[:-1]) + last.body
    if last.cut or len(raw) > MESSAGE_BYTES:
        return Entry(first.number, error=f"the line is longer than {MESSAGE_BYTES} bytes")
    message = well_formed(raw.decode(errors="replace"))
    if message.encode() != raw:
        counts.undecodable += 1
    level = (intake.guess_level and guessed_level(message)) or intake.level
    names = {"service_name": intake.service_name, "log_type": intake.log_type}
    return Entry(first.number, {**names, "level": level, "message": message})
