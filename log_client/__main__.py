"""`python -m log_client tail|recent|send`.

Exit status: 0 done, 1 refused or some records rejected, 2 usage (also: no credentials, no such file), 3 log_service not
reachable, 130 interrupted.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from . import commands
from .arguments import parser
from .client import LogClient
from .errors import LogClientError, MissingCredentials, Unavailable
from .options import Options
from .terminal import escaped

REFUSED, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130
COMMANDS = {"tail": commands.tail, "recent": commands.recent, "send": commands.send}
WORTH_TELLING = 1.0  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = parser().parse_args(arguments)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = COMMANDS[args.command](_client(args), args)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return commands.OK
    except KeyboardInterrupt:
        return commands.OK if args.command == "tail" else INTERRUPTED
    except (LogClientError, OSError, ValueError) as error:
        return _told(error, args.endpoint)
    return status


def _interrupted(_number: int, _frame: object) -> None:
    """Ctrl-C may strike in the middle of making a response; what its half-made parts say when they go is not news."""
    sys.unraisablehook = _silent
    raise KeyboardInterrupt


def _silent(_unraisable: object) -> None:
    pass


def _client(args: argparse.Namespace) -> LogClient:
    options = Options(attempts=4, total=30.0, on_wait=_waiting)
    return LogClient(args.endpoint, region=args.region, sign=args.sign, options=options)


def _waiting(reason: str, seconds: float) -> None:
    if seconds >= WORTH_TELLING:
        print(escaped(f"log_client: {reason}; again in {seconds:.0f} s"), file=sys.stderr)


def _told(error: Exception, endpoint: str) -> int:
    for line in (f"log_client: {error}", *getattr(error, "__notes__", ())):
        print(escaped(line), file=sys.stderr)
    if isinstance(error, Unavailable):
        hint = "start the local stack with `make up`, or give another address with --endpoint or LOG_SERVICE_URL"
        print(escaped(f"log_service does not serve at {endpoint}: {hint}"), file=sys.stderr)
        return UNREACHABLE
    own = isinstance(error, LogClientError) and not isinstance(error, MissingCredentials)
    return REFUSED if own else USAGE


if __name__ == "__main__":
    sys.exit(main())
