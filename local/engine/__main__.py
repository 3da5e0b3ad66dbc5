"""Start the engine on one loopback port: `python -m local.engine --port 4566 [--state DIR]`."""

import argparse
import asyncio
import os
import shutil
import signal
from contextlib import nullcontext
from pathlib import Path

from local.engine.configuration import HOST, configure, held
from local.parent import stop_with_parent

STOP_SECONDS = 8


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m local.engine")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--socket", type=int, metavar="FD", help="listen on this inherited socket, not on the port itself"
    )
    parser.add_argument("--state", type=Path, help="keep state in this folder; without it, state dies with the process")
    parser.add_argument("--temporary", type=Path, help="a folder of the engine's own, emptied at start")
    return parser.parse_args()


def empty(folder: Path) -> None:
    """Remove what a killed engine left: the folders of its Lambda workers."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


async def serve(bind: str, state: Path | None) -> None:
    """Serve until SIGTERM or SIGINT, then write the last snapshot."""
    from hypercorn.asyncio import serve as hypercorn_serve  # noqa: PLC0415  # ministack reads the environment at import
    from hypercorn.config import Config  # noqa: PLC0415

    from local.engine.layer import build  # noqa: PLC0415

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    config = Config()
    config.bind, config.loglevel, config.keep_alive_timeout = [bind], "WARNING", 75
    config.graceful_timeout = 1
    layer, snapshots = build(state)
    taking = asyncio.create_task(snapshots.run()) if snapshots else None
    await hypercorn_serve(layer, config, shutdown_trigger=stop.wait)
    signal.alarm(STOP_SECONDS)
    if snapshots and taking:
        taking.cancel()
        snapshots.close()


def main() -> None:
    """Run, and leave no Lambda worker behind."""
    given = arguments()
    stop_with_parent()
    if given.temporary:
        empty(given.temporary)
    bind = f"{HOST}:{given.port}" if given.socket is None else f"fd://{given.socket}"
    with held(given.state) if given.state else nullcontext():
        configure(given.port, given.state, given.temporary)
        asyncio.run(serve(bind, given.state))
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(os.getpgrp(), signal.SIGTERM)
    os._exit(0)  # ministack's threads are not waited for


if __name__ == "__main__":
    main()
