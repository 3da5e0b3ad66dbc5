"""The stack's processes: started, read, restarted when they crash, stopped with everything they started."""

import asyncio
import contextlib
import os
import signal
from time import monotonic
from typing import NamedTuple

from local.terminal import Terminal

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
STABLE_SECONDS = 10.0
STOP_SECONDS = 5.0
CHUNK = 65536


class Program(NamedTuple):
    """What a part runs."""

    name: str
    command: list[str]
    environment: dict[str, str]
    inherited: tuple[int, ...] = ()
    ready_text: str = ""


class Part:
    """One process and its successors."""

    def __init__(self, program: Program, terminal: Terminal) -> None:
        self.program = program
        self.ready = asyncio.Event()
        self._terminal = terminal
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = True
        self._pause = FIRST_PAUSE
        self._wake = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The current process."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Keep the program running until `stop`."""
        while self._wanted:
            began = monotonic()
            code = await self._run_once()
            if self._wake.is_set():  # a restart or a stop ended it
                self._wake.clear()
                continue
            self._pause = FIRST_PAUSE if monotonic() - began > STABLE_SECONDS else self._pause
            self._say(f"stopped with {describe(code)}; it starts again in {self._pause:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause)
            self._wake.clear()
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _run_once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *self.program.command,
            env=self.program.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=self.program.inherited,
            start_new_session=True,
        )
        reading = asyncio.create_task(self._relay(self._process))
        code = await self._process.wait()
        kill_group(self._process.pid)
        self._process = None
        await reading
        return code

    async def _relay(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout  # noqa: S101  # it is a pipe
        rest = b""
        while data := await process.stdout.read(CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._line(line)
        if rest:
            self._line(rest)

    def _line(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if self.program.ready_text and text.startswith(self.program.ready_text):
            self.ready.set()
        self._terminal.line(self.program.name, text)

    def _say(self, text: str) -> None:
        self._terminal.line(self.program.name, text)

    async def restart(self, environment: dict[str, str] | None = None) -> None:
        """Replace the process, now, without a pause."""
        if environment is not None:
            self.program = self.program._replace(environment=environment)
        self._pause = FIRST_PAUSE
        self._wake.set()
        await self._end()

    async def stop(self) -> None:
        """End the process and everything it started."""
        self._wanted = False
        self._wake.set()
        await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            self._say(f"does not stop within {STOP_SECONDS:.0f} s and is killed")
            kill_group(process.pid)
            await process.wait()


def kill_group(leader: int) -> None:
    """Kill what a process that led its own group has left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def describe(code: int) -> str:
    """An exit code in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
