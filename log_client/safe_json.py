"""Any Python value as a JSON value that log_service takes: finite, acyclic, bounded in depth and size."""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from enum import Enum
from itertools import islice

from .records import clipped, well_formed

LEVELS_DEEP = 16  # of log_service, a scalar's own level counted
NODES = 5_000
TEXT_BYTES = 16 * 1024
INTEGER_LIMIT = 10**38  # what DynamoDB counts exactly
REAL_LIMITS = (1e-130, 1e126)  # what DynamoDB can store
CUT = "(left out: too much metadata)"

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None


def safe_json(value: object, depth: int = 1) -> Json:
    """Convert `value`, whose own level is `depth`; never raises, and takes at most 5,000 values of a larger one."""
    return _Conversion().of(value, depth)


def safe_text(value: object) -> str:
    """`str(value)` in well-formed Unicode of at most 16 KiB, whatever its `__str__` does."""
    try:
        text = str(value)
    except Exception as error:  # noqa: BLE001 - a foreign __str__ may raise anything
        return f"<{type(value).__name__} that has no text: {type(error).__name__}>"
    return clipped(well_formed(text[:TEXT_BYTES]), TEXT_BYTES)


class _Conversion:
    """Knows how many values it may still take, and which containers it is inside of."""

    def __init__(self) -> None:
        self._left = NODES
        self._path: set[int] = set()

    def of(self, value: object, depth: int) -> Json:
        """The value at this depth."""
        self._left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            return self.of(value.value, depth)
        if isinstance(value, int | float):
            return _number(value)
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._container(value, depth)
        return _text(value)

    def _container(self, value: Mapping[object, object] | Iterable[object], depth: int) -> Json:
        if id(value) in self._path:
            return "(cycle)"
        if depth >= LEVELS_DEEP:
            return safe_text(value)
        self._path.add(id(value))
        try:
            return self._inside(value, depth + 1)
        except Exception as error:  # noqa: BLE001 - a foreign container may raise anything while it is walked
            return f"<{type(value).__name__} that cannot be read: {type(error).__name__}>"
        finally:
            self._path.discard(id(value))

    def _inside(self, value: Mapping[object, object] | Iterable[object], depth: int) -> Json:
        left = max(0, self._left)
        if isinstance(value, Mapping):
            pairs = {_key(name): self.of(entry, depth) for name, entry in islice(value.items(), left)}
            return pairs if len(value) <= left else {**pairs, "(more)": CUT}
        entries = list(islice(_ordered(value), left + 1))
        listed = [self.of(entry, depth) for entry in entries[:left]]
        return listed if len(entries) <= left else [*listed, CUT]


def _ordered(value: Iterable[object]) -> Iterable[object]:
    return sorted(value, key=safe_text) if isinstance(value, set | frozenset) else value


def _number(value: float) -> Json:
    if isinstance(value, int):
        return int(value) if abs(value) < INTEGER_LIMIT else safe_text(hex(value))
    low, high = REAL_LIMITS
    return float(value) if math.isfinite(value) and (value == 0 or low <= abs(value) < high) else str(float(value))


def _key(name: object) -> str:
    return safe_text(name) or "(empty)"


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return safe_text(bytes(value[:TEXT_BYTES]).decode(errors="backslashreplace"))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return safe_text(value)
