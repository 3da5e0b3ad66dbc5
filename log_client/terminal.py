"""How a record looks in a terminal: coloured if wanted, and unable to do anything but be read."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any, TextIO

RESET = "\x1b[0m"
DIM = "\x1b[2m"
COLOURS = {
    "TRACE": DIM,
    "DEBUG": "\x1b[36m",
    "INFO": "\x1b[32m",
    "WARN": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "FATAL": "\x1b[1;97;41m",
}
CONTINUATION = "\n    | "
# Control characters but the tab, what turns or hides text (bidirectional and zero-width marks), separators, surrogates.
UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def wants_colour(choice: str, stream: TextIO) -> bool:
    """`always` and `never` are obeyed; `auto` is a terminal without NO_COLOR (https://no-color.org)."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def escaped(value: object) -> str:
    r"""The text with every character that could play with a terminal shown as `\xNN` or `\uNNNN`."""
    return UNSAFE.sub(_shown, str(value))


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    named = {0x0A: r"\n", 0x0D: r"\r", 0x1B: r"\x1b"}
    return named.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")  # noqa: PLR2004 - one byte


class Printer:
    """Turns records into what is printed, without the last line end."""

    def __init__(self, *, colour: bool, as_json: bool, metadata: bool) -> None:
        self._colour = colour
        self._as_json = as_json
        self._metadata = metadata

    def shown(self, record: Mapping[str, Any]) -> str:
        """One record: a line of JSON, or time, level, service, type and message; further lines of it are marked."""
        if self._as_json:
            return json.dumps(record, separators=(",", ":"))  # ASCII only: nothing in it reaches the terminal raw
        level = escaped(record.get("level", ""))
        head = f"{escaped(record.get('timestamp', ''))} {self._in(COLOURS.get(level, ''), f'{level:5}')} "
        source = f"{escaped(record.get('service_name', ''))} {escaped(record.get('log_type', ''))}"
        return head + self._in(DIM, source) + "  " + self._message(record)

    def _message(self, record: Mapping[str, Any]) -> str:
        lines = str(record.get("message", "")).replace("\r\n", "\n").split("\n")
        text = CONTINUATION.join(escaped(line) for line in lines)
        if self._metadata and record.get("metadata"):
            text += CONTINUATION + self._in(DIM, json.dumps(record["metadata"]))
        return text

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._colour and colour else text
