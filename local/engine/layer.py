"""The ASGI layer around ministack: what ministack lacks is added here, one small module per addition."""

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from ministack import app as ministack

from local.engine import event_sources, placeholders, streams, writes
from local.engine.journal import Journal
from local.engine.snapshots import Snapshots

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

READS = ("BatchGet", "Describe", "Filter", "Get", "Head", "List", "Lookup", "Query", "Receive", "Scan", "TransactGet")


class Layer:
    """Passes every request to the engine and reports those that may have written."""

    def __init__(self, inner: Application, written: Callable[[], None]) -> None:
        self._inner = inner
        self._written = written

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        body = _First(receive)
        await self._inner(scope, body, send)
        if not is_read(scope, body.start):
            self._written()


class _First:
    """A receive channel that remembers how the body began."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.start = b""

    async def __call__(self) -> Message:
        message = await self._receive()
        if not self.start:
            self.start = bytes(message.get("body", b"")[:200])
        return message


def is_read(scope: Scope, body: bytes) -> bool:
    """Whether the request's operation, by its name, leaves the engine as it was.

    A receive from a queue counts as a read: when a snapshot misses it, the message is delivered again.
    """
    if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
        return True
    return operation(dict(scope["headers"]), body).startswith(READS)


def operation(headers: dict[bytes, bytes], body: bytes) -> str:
    """The operation's name in AWS's JSON protocol (a header) or its query protocol (a form); empty when neither."""
    target = headers.get(b"x-amz-target", b"")
    if target:
        return target.rpartition(b".")[2].decode("latin-1")
    _, found, rest = body.partition(b"Action=")
    return rest.partition(b"&")[0].decode("latin-1") if found else ""


def build(state: Path | None) -> tuple[Application, Snapshots | None]:
    """The engine behind its layer, with snapshots into `state` when it is given."""
    event_sources.allow_aws_sources()
    placeholders.register()
    if not state:
        return Layer(ministack.app, lambda: None), None
    snapshots = restored(state)
    return Layer(ministack.app, snapshots.written), snapshots


def restored(state: Path) -> Snapshots:
    """Bring back what the last run acknowledged, and keep what this one will."""
    ministack._load_persisted_state()  # noqa: SLF001  # what its start-up does when it keeps state itself
    ministack.PERSIST_STATE = False  # the snapshots are ours, the one at shutdown too
    streams.restore(state / "current")
    journal = Journal(state)
    snapshots = Snapshots(state, journal)
    if writes.replay(journal.lines()):
        snapshots.written()
    journal.forget()
    journal.begin()
    writes.record(snapshots.keep)
    return snapshots
