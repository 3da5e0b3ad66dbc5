"""The journal: every write since a snapshot, one line each, in numbered files beside the snapshots.

A line is appended in one piece before its request is answered, as to Redis' append-only file: the page cache keeps it
when the process is killed. Taking a snapshot begins a new journal first; the snapshot names that journal in its folder,
as the first that it does not contain. A start replays all journals from that number on, in order. They may hold a write
that the snapshot has as well, never the other way round, so replaying a write twice must be the same as once.
"""

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

FIRST = "journal"
PREFIX = "journal-"


class Journal:
    """The journals in `folder`; the last one is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._file = -1
        first = folder / "current" / FIRST
        self._first = int(first.read_text()) if first.exists() else 0
        self.number = max([self._first, *self._files()])

    def begin(self) -> None:
        """Start the next journal: what is appended from now on is not in the snapshot that is taken now."""
        with self._lock:
            self.number += 1
            path = self._folder / f"{PREFIX}{self.number:012d}"
            fresh = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
            if self._file >= 0:
                os.close(self._file)
            self._file = fresh

    def append(self, line: bytes) -> None:
        """Keep one write, whole or not at all.

        Raises:
            OSError: The disk is full.
        """
        with self._lock:
            written = os.write(self._file, line + b"\n")
            if written <= len(line):
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                raise OSError(errno.ENOSPC, "the journal takes no more")

    def lines(self) -> Iterator[bytes]:
        """Every whole line since the current snapshot, oldest first."""
        for number, path in sorted(self._files().items()):
            if number >= self._first:
                yield from whole_lines(path)

    def forget(self, before: int | None = None) -> None:
        """Remove the journals that a snapshot contains: those below its number."""
        limit = self._first if before is None else before
        for number, path in self._files().items():
            if number < limit:
                path.unlink(missing_ok=True)

    def _files(self) -> dict[int, Path]:
        return {int(path.name.removeprefix(PREFIX)): path for path in self._folder.glob(f"{PREFIX}*")}


def whole_lines(path: Path) -> Iterator[bytes]:
    """The lines of one journal; the last one may be torn by a kill, then its request was never answered."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield line
