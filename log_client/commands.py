"""What `tail`, `recent` and `send` do, each returning its exit status."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from .client import LogClient
from .intake import Intake
from .sending import Sending
from .terminal import Printer, wants_colour

OK, SOME_REJECTED = 0, 1
PAGE = 1_000


def tail(client: LogClient, args: argparse.Namespace) -> int:
    """Print records as they come, until interrupted."""
    _print(client.tail(**_filters(args)), args)
    return OK


def recent(client: LogClient, args: argparse.Namespace) -> int:
    """Print the newest records; `--limit` counts those that `--grep` lets through."""
    times = {"since": args.since, "until": args.until, "hours": args.hours}
    size = PAGE if args.all or args.grep else min(args.limit, PAGE)
    _print(client.recent(**_filters(args), **times, limit=size), args, None if args.all else args.limit)
    return OK


def _filters(args: argparse.Namespace) -> dict[str, Any]:
    return {"service_name": args.service, "log_type": args.type, "level": args.level, "min_level": args.min_level}


def _print(records: Iterator[dict[str, Any]], args: argparse.Namespace, limit: int | None = None) -> None:
    printer = Printer(colour=wants_colour(args.color, sys.stdout), as_json=args.json, metadata=args.metadata)
    wanted = (record for record in records if not args.grep or args.grep.search(str(record.get("message", ""))))
    for record in islice(wanted, limit):
        print(printer.shown(record), flush=True)


def send(client: LogClient, args: argparse.Namespace) -> int:
    """Send the lines of all files, then print what became of them."""
    guess = args.guess_level if args.guess_level is not None else args.level is None
    intake = Intake(args.service, args.type, args.level or "INFO", guess, not args.lines, args.format)
    sending = Sending(client)
    try:
        for name in args.files:
            with _opened(name) as stream:
                sending.all_of("standard input" if name == "-" else name, stream, intake)
    except KeyboardInterrupt:
        sending.deliver()
        raise
    finally:
        sending.summarise(as_json=args.json)
    return SOME_REJECTED if sending.rejected else OK


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb", buffering=0)
