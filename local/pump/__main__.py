"""`python -m local.pump PROJECT --state DIR`: run the pump of one application until SIGTERM."""

import argparse
import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local.applications import load
from local.parent import stop_with_parent
from local.pump.sources import Engine, Source, forget_rules, make

RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 5.0
FINISH_SECONDS = 2.0

logger = logging.getLogger("pump")


def run(name: str, open_source: Callable[[], Source], stop: threading.Event) -> None:
    """Open the source and step until told to stop; whatever goes wrong is said and tried again."""
    source, pause = None, RETRY_SECONDS
    while not stop.is_set():
        try:
            source = source or open_source()
            source.step()
            pause = RETRY_SECONDS
        except (BotoCoreError, ClientError) as error:
            logger.warning("%s waits for the engine: %s", name, error)
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)
        except Exception:
            logger.exception("%s goes on after an error of the pump", name)
            stop.wait(pause)


def main() -> None:
    """Start a thread per source; on SIGTERM let each finish what it does, for a moment."""
    parser = argparse.ArgumentParser(prog="python -m local.pump")
    parser.add_argument("project", type=Path)
    parser.add_argument("--state", type=Path, required=True, help="the folder of the streams' checkpoints")
    given = parser.parse_args()
    stop_with_parent()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    checkpoints = given.state.resolve()
    application = load(given.project.resolve())
    engine = Engine(os.environ["AWS_ENDPOINT_URL"])
    forget_rules(application, engine)
    sources = make(application, engine, checkpoints)
    threads = [threading.Thread(target=run, args=(*source, stop), daemon=True) for source in sources.items()]
    for thread in threads:
        thread.start()
    print(f"pumping {', '.join(sources) or 'nothing: no event sources'}", flush=True)
    stop.wait()
    for thread in threads:
        thread.join(FINISH_SECONDS)
    os._exit(0)  # a handler that is still running is cut off, and its event comes again


if __name__ == "__main__":
    main()
