"""`make up`: the engine, the stacks of all applications, their servers and pumps, until Ctrl-C."""

import asyncio
import fcntl
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from pathlib import Path
from socket import socket
from time import monotonic
from typing import IO, Any

from local import settings, stack_file, stacks, watching
from local.ports import PortHeld, take
from local.processes import Part, Program
from local.terminal import Terminal

READY_SECONDS = 60
ASK_SECONDS = 0.05
ENGINE_HEALTH = "/_ministack/health"


class NotReady(RuntimeError):
    """A part did not come up; the text says which."""


class Stack:
    """Everything that runs."""

    def __init__(self, sockets: dict[str, socket], terminal: Terminal) -> None:
        self._sockets = sockets
        self._terminal = terminal
        self._root = settings.root()
        self._endpoint = stack_file.url(settings.ENGINE)
        self._parts: dict[str, Part] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.applications = [name for name in sockets if name != settings.ENGINE]
        self.started = asyncio.Event()
        self.stopping = asyncio.Event()

    async def start(self) -> None:
        """Bring everything up.

        Raises:
            NotReady: A part does not answer.
            StackFailed: A template cannot be applied.
        """
        self._launch(engine_program(self._sockets[settings.ENGINE].fileno()))
        await self._answers(settings.ENGINE, self._endpoint + ENGINE_HEALTH)
        for name in self.applications:
            await self._launch_application(name)
        for name in self.applications:
            await self._answers(name, stack_file.url(name) + "/health")
            await asyncio.wait_for(self._parts[pump_of(name)].ready.wait(), READY_SECONDS)

    async def _launch_application(self, name: str) -> None:
        environment = await self._environment(name)
        project = str(self._root / name)
        file = self._sockets[name].fileno()
        serve = [sys.executable, "-m", "local.server", project, "--socket", str(file)]
        self._launch(Program(name, serve, environment, (file,)))
        pump = [sys.executable, "-m", "local.pump", project, "--state", str(settings.state() / "pump")]
        self._launch(Program(pump_of(name), pump, environment, ready_text="pumping"))

    async def _environment(self, name: str) -> dict[str, str]:
        outputs = await asyncio.to_thread(stacks.apply, self._root / name, self._endpoint)
        return settings.child_environment(settings.application_environment(self._endpoint, outputs))

    def _launch(self, program: Program) -> None:
        part = self._parts[program.name] = Part(program, self._terminal)
        self._spawn(part.run())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answers(self, part: str, url: str) -> None:
        deadline = monotonic() + READY_SECONDS
        while (answer := await asyncio.to_thread(ask, url)) != "200":
            if monotonic() > deadline:
                raise NotReady(f"{part} is not healthy after {READY_SECONDS} s: {url} answers {answer}.")
            await asyncio.sleep(ASK_SECONDS)

    async def follow_changes(self) -> None:
        """Restart what changed code belongs to, until the stack stops; what changes while it starts comes after."""
        async for paths in watching.changes(self._root, self.applications, self.stopping):
            await self.started.wait()
            for name in watching.affected(paths, self._root, self.applications):
                self._terminal.line(
                    name, f"changed: {', '.join(sorted(Path(path).name for path in paths))}; it restarts"
                )
                await self._reload(name)

    async def _reload(self, name: str) -> None:
        try:
            environment = await self._environment(name)
        except Exception as error:  # noqa: BLE001  # half a template while someone types; the old stack stands
            self._terminal.line(name, str(error))
            return
        await asyncio.gather(*(self._parts[part].restart(environment) for part in (name, pump_of(name))))

    async def stop(self) -> None:
        """Stop the applications, then the engine they use."""
        engine = self._parts.pop(settings.ENGINE, None)
        await asyncio.gather(*(part.stop() for part in self._parts.values()))
        if engine:
            await engine.stop()
        await asyncio.gather(*self._tasks)


def pump_of(name: str) -> str:
    """What the pump of an application is called."""
    return f"{name}/pump"


def engine_program(file: int) -> Program:
    """The engine, on a socket that outlives its crashes."""
    state = settings.state() / "engine"
    options = ["--port", str(settings.port(settings.ENGINE)), "--socket", str(file)]
    kept = ["--state", str(state / "state"), "--temporary", str(state / "temporary")]
    command = [str(settings.engine_python()), "-m", "local.engine", *options, *kept]
    return Program(settings.ENGINE, command, settings.child_environment(), (file,))


def ask(url: str) -> str:
    """The status of an answer, or why there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # a URL of ours
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except OSError as error:
        return str(error)


def lock() -> IO[str]:
    """Hold the state folder; two stacks would overwrite each other's state.

    Raises:
        PortHeld: Another stack has it.
    """
    settings.state().mkdir(exist_ok=True)
    file = (settings.state() / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        raise PortHeld(f"This stack is already running: pid {file.read().strip() or 'unknown'}.") from None
    return file


def take_ports() -> dict[str, socket]:
    """The sockets of all parts."""
    return {part: take(part, settings.port(part)) for part in (settings.ENGINE, *settings.applications())}


async def run(sockets: dict[str, socket], terminal: Terminal) -> int:
    """Run until a signal; the exit code says whether it ever stood."""
    stack = Stack(sockets, terminal)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stack.stopping.set)
    try:
        return await until_stopped(stack, terminal)
    finally:
        stack_file.remove()
        terminal.say("stopping")
        await stack.stop()


async def until_stopped(stack: Stack, terminal: Terminal) -> int:
    """Start, announce, follow changes; a signal ends it at any point."""
    began = monotonic()
    following = asyncio.create_task(stack.follow_changes())  # it watches before anything reads the code
    starting = asyncio.create_task(stack.start())
    await first(starting, stack.stopping.wait)
    if not starting.done() or starting.exception():
        following.cancel()
        return gave_up(starting, terminal)
    described = stack_file.describe(stack.applications)
    stack_file.write(described)
    terminal.say(stack_file.table(described))
    terminal.say(f"  It took {monotonic() - began:.1f} s.")
    stack.started.set()
    await following
    return 0


def gave_up(starting: asyncio.Task[None], terminal: Terminal) -> int:
    """The stack never stood: 0 when it was stopped, 1 when it could not start, which is said."""
    if not starting.done():
        starting.cancel()
        return 0
    terminal.say(str(starting.exception()))
    return 1


async def first(task: asyncio.Task[None], event: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Wait for the one or the other."""
    waiting = asyncio.create_task(event())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def up() -> int:
    """Run the whole system; 1 when it cannot."""
    terminal = Terminal(color=settings.color())
    if not settings.engine_python().exists():
        terminal.say("The engine's environment is missing: make setup")
        return 1
    try:
        sockets = take_ports()
        held = lock()
    except (PortHeld, ValueError) as problem:
        terminal.say(str(problem))
        return 1
    held.truncate(0)
    held.write(str(settings.process()))
    held.flush()
    stack_file.remove()
    return asyncio.run(run(sockets, terminal))
