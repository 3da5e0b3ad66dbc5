"""Snapshots of the engine's state that survive SIGKILL: taken when something was written, swapped in all at once.

A forked child writes them, as Redis does, so the engine answers meanwhile. A snapshot is a folder; `current` is a link
that is replaced atomically, so a kill at any moment leaves the last whole one, and the journals that follow it.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from pathlib import Path

from ministack import app as ministack
from ministack.core import persistence

from local.engine import streams, writes
from local.engine.journal import FIRST, Journal
from local.parent import stop_with_parent

IDLE_SECONDS = 0.2
BUSY_SECONDS = 3.0
REST = 5  # a snapshot that takes a second is followed by five without one, however much is written
CHILD_SECONDS = 60
NOW_SECONDS = 10

TABLES = "dynamodb.json"

logger = logging.getLogger("engine.snapshots")


class Snapshots:
    """Writes the engine's state into `folder` soon after it changed."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder = folder
        self._journal = journal
        self._tables = writes.tables()
        self._child = 0
        self._dirty = asyncio.Event()
        self._written_at = 0.0
        self._took = 0.0

    def written(self) -> None:
        """Something may have changed."""
        self._written_at = time.monotonic()
        self._dirty.set()

    async def run(self) -> None:
        """Take snapshots for ever: when writing pauses, and at least every few seconds while it does not."""
        while True:
            await self._dirty.wait()
            await self._pause(time.monotonic() + max(BUSY_SECONDS, REST * self._took))
            self._dirty.clear()
            await self._take()

    async def _pause(self, latest: float) -> None:
        """Wait until nothing was written for a moment, but not beyond `latest`."""
        while (now := time.monotonic()) < latest:
            idle_at = self._written_at + IDLE_SECONDS
            if now >= idle_at:
                return
            await asyncio.sleep(min(idle_at, latest) - now)

    async def _take(self) -> None:
        began, tables = time.monotonic(), writes.tables()
        child = self._fork(CHILD_SECONDS)
        status = await asyncio.to_thread(_wait, child)
        self._took = time.monotonic() - began
        if child == self._child:
            self._finish(status, tables)

    def keep(self, line: bytes, tables: frozenset[str | None]) -> None:
        """Keep a write that is about to be answered, in the journal; one to a table that no snapshot has, in one."""
        if tables <= self._tables or not self._take_now():
            self._journal.append(line)

    def _take_now(self) -> bool:
        self._stop_child()
        tables = writes.tables()
        status = _wait(self._fork(NOW_SECONDS))
        self._finish(status, tables)
        return status == 0

    def close(self) -> None:
        """Write the last snapshot, in this process: it ends."""
        self._stop_child()
        self._journal.begin()
        self.write()

    def _fork(self, seconds: int) -> int:
        """Begin a journal and a snapshot of everything before it; returns the child that writes it."""
        self._journal.begin()
        self._child = os.fork()
        if self._child == 0:
            self._write_and_exit(seconds)
        return self._child

    def _finish(self, status: int, tables: frozenset[str | None]) -> None:
        self._child = 0
        if status == 0:
            self._tables = tables
        else:
            logger.error("a snapshot failed; the journals are kept and the next write tries again")

    def _stop_child(self) -> None:
        """End a child that would put an older snapshot in the place of the next one."""
        child, self._child = self._child, 0
        if child:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(child, signal.SIGKILL)
                os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # `_take` reaps it

    def _write_and_exit(self, seconds: int) -> None:
        """The child's life: write, then leave without any clean-up that belongs to the parent."""
        code = 1
        try:
            signal.alarm(seconds)  # a lock that a thread held at the fork never opens here
            stop_with_parent(signal.SIGKILL)
            self.write()
            code = 0
        finally:
            os._exit(code)

    def write(self) -> None:
        """Write everything into a folder of its own and make it the current one."""
        current = self._folder / "current"
        fresh = self._folder / f"snapshot-{time.time_ns()}"
        fresh.mkdir()
        persistence.STATE_DIR = str(fresh)
        persistence.save_all(ministack._build_persistence_save_dict())  # noqa: SLF001  # what its own shutdown saves
        if not (fresh / TABLES).exists():
            raise OSError(f"{TABLES} was not written")  # ministack only logs it
        streams.save(fresh)
        (fresh / FIRST).write_text(str(self._journal.number))
        self._carry_over(current, fresh)
        link = self._folder / "next"
        link.unlink(missing_ok=True)
        link.symlink_to(fresh.name)
        link.replace(current)
        self._forget_others(fresh)
        self._journal.forget(self._journal.number)

    @staticmethod
    def _carry_over(current: Path, fresh: Path) -> None:
        """Keep the last state of a service that reports none now, and the files that services write themselves."""
        for file in current.iterdir():
            if file.is_file() and not (fresh / file.name).exists():
                shutil.copyfile(file, fresh / file.name)

    def _forget_others(self, kept: Path) -> None:
        for folder in self._folder.glob("snapshot-*"):
            if folder.name != kept.name:
                shutil.rmtree(folder, ignore_errors=True)


def _wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
