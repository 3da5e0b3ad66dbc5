"""Takes the stack's ports, or says who holds them."""

import socket
from collections.abc import Iterator
from pathlib import Path

from local.server import listen

LISTENING = "0A"


class PortHeld(RuntimeError):
    """A port is taken; the text says by whom."""


def take(part: str, port: int) -> socket.socket:
    """Listen on a port of the loopback interface.

    Raises:
        PortHeld: Someone else does; nothing was done to them.
    """
    try:
        return listen(port)
    except OSError as error:
        variable = f"{part.upper()}_PORT"
        raise PortHeld(
            f"Port {port} ({part}) is held by {holder(port)}. Stop it, or move this part: {variable}={port + 1000}"
        ) from error


def holder(port: int) -> str:
    """The process that listens on a port, as far as this user may know."""
    inodes = set(_inodes(port))
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda found: int(found.name)):
        if inodes & set(_sockets(process)):
            return f"pid {process.name}: {_command(process)}"
    return "a process of another user"


def _inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _sockets(process: Path) -> Iterator[str]:
    try:
        for descriptor in (process / "fd").iterdir():
            target = descriptor.readlink().name
            if target.startswith("socket:["):
                yield target.removeprefix("socket:[").removesuffix("]")
    except OSError:
        return


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "(it ended meanwhile)"
