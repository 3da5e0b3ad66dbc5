"""JSON that is not quite JSON: finds what is wrong with it and where, after the fast parser has refused it."""

import json
import math
from collections.abc import Iterator
from typing import Any

from common.errors import BadRequest, ValidationFailed

DEEPEST = 64
LONGEST_INTEGER_DIGITS = 38

type Path = tuple[int | str, ...]


def explain_json(raw: bytes) -> BadRequest:
    """The error that tells a caller why this body was refused."""
    try:
        value = lenient(raw)
    except BadRequest as error:
        return error
    for path, problem in faults(value):
        return ValidationFailed.of(".".join(map(printable, path)) or "body", problem)
    return BadRequest("The body is not valid JSON.")


def lenient(raw: bytes) -> Any:  # noqa: ANN401  # any JSON
    """Parse what the strict parser refused, so that the fault can be named; raises BadRequest."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    except ValueError as error:
        at = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadRequest(f"The body is not valid JSON{at}.") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER_DIGITS + 1 else math.inf


def faults(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:  # noqa: ANN401  # any JSON
    """Where a parsed value holds what JSON or our stores cannot hold, deepest first come."""
    match value:
        case dict():
            yield from _faults_of_object(value, path)
        case list():
            for index, part in enumerate(value):
                yield from _deeper(part, (*path, index))
        case str():
            problem = text_problem(value)
            if problem:
                yield path, problem
        case float() if not math.isfinite(value):
            yield path, "is not a number that can be kept"
        case int() if not isinstance(value, bool) and abs(value) >= 10**LONGEST_INTEGER_DIGITS:
            yield path, f"is an integer of more than {LONGEST_INTEGER_DIGITS} digits"
        case _:
            return


def _faults_of_object(value: dict[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    for key, part in value.items():
        problem = text_problem(key)
        if problem:
            yield path, f"a name in it {problem}"
        yield from _deeper(part, (*path, key))


def _deeper(value: Any, path: Path) -> Iterator[tuple[Path, str]]:  # noqa: ANN401  # any JSON
    if len(path) > DEEPEST:
        yield path[:3], "is nested too deeply"
        return
    yield from faults(value, path)


def text_problem(text: str) -> str | None:
    """Why a text cannot be kept: U+0000 and unpaired surrogates."""
    if "\x00" in text:
        return "holds the character U+0000"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "holds an unpaired surrogate"
    return None


def printable(part: int | str) -> str:
    """A part of a path that may be printed anywhere."""
    text = str(part)[:80].encode("ascii", "backslashreplace").decode()[:80]
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
