"""Lines of a file or a pipe, in bounded memory and exactly as they are, with the pauses of a pipe."""

import os
import select
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 256 * 1024
LINE_BYTES = 256 * 1024
IDLE = 1.0  # seconds without input after which what is there is sent


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its line end (`end`); `cut` when it was too long and its rest was skipped."""

    number: int
    body: bytes
    end: bytes = b"\n"
    cut: bool = False

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it but white space."""
        return not self.body.strip()


class Pause:
    """The input is still open, but nothing came for a second."""


PAUSE = Pause()


def lines_of(stream: BinaryIO) -> Iterator[Line | Pause]:
    r"""Each line of an open file that ends in `\n`, `\r\n` or the end of the file; a pause where a pipe pauses."""
    held = bytearray()
    number, skipping = 1, False
    for chunk in _chunks(stream):
        if isinstance(chunk, Pause):
            yield chunk
            continue
        held += chunk
        *whole, rest = held.split(b"\n")
        for body in whole:
            yield _line(number, bytes(body), b"\n", cut=skipping)
            number, skipping = number + 1, False
        held = bytearray(rest[: LINE_BYTES + 1])
        skipping = skipping or len(rest) > LINE_BYTES
    if held:
        yield _line(number, bytes(held), b"", cut=skipping)


def _line(number: int, body: bytes, end: bytes, *, cut: bool) -> Line:
    if cut or len(body) > LINE_BYTES:
        return Line(number, body[:LINE_BYTES], end, cut=True)
    if end and body.endswith(b"\r"):
        return Line(number, body[:-1], b"\r\n")
    return Line(number, body, end)


def _chunks(stream: BinaryIO) -> Iterator[bytes | Pause]:
    descriptor = stream.fileno()
    rested = False
    while True:
        if not rested and not select.select([descriptor], [], [], IDLE)[0]:
            rested = True
            yield PAUSE
            continue
        rested = False
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            return
        yield chunk
