"""The settings ministack reads from the environment, made safe before it is imported."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from local.waiting import until

HOST = "127.0.0.1"
HELD_SECONDS = 15


def settings(port: int, state: Path | None) -> dict[str, str]:
    """Loopback only, signatures and policies checked, no MQTT port; state in its folder when there is one."""
    values = {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "BIND_HOST": HOST,
        "DOCKER_HOST": "unix:///nonexistent",  # else it removes containers of this machine at start and stop
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
    }
    if state:
        kept = {"STATE_DIR": str(state / "current"), "S3_DATA_DIR": str(state / "s3")}
        values |= kept | {"PERSIST_STATE": "1", "S3_PERSIST": "1"}
    return values


@contextlib.contextmanager
def held(state: Path, seconds: float = HELD_SECONDS) -> Iterator[None]:
    """Have the state folder alone; what is left of a killed engine, the writer of a snapshot, has it until it ends.

    Raises:
        TimeoutError: Another engine keeps its state there.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as file:
        until(lambda: _locked(file), seconds, f"another engine to leave {state}")
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def prepare(state: Path) -> None:
    """Make the first, empty snapshot: ministack writes some files into the current one by itself."""
    current = state / "current"
    if not current.exists():
        (state / "snapshot-0").mkdir(parents=True, exist_ok=True)
        current.unlink(missing_ok=True)
        current.symlink_to("snapshot-0")


def configure(port: int, state: Path | None, temporary: Path | None) -> None:
    """Set the environment of this process for ministack's import."""
    if state:
        prepare(state)
    os.environ.update(settings(port, state))
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    if temporary:
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
