"""The arguments of `python -m log_client`."""

import argparse
import os
import re
import time
from collections.abc import Callable

from . import records

DEFAULT_ENDPOINT = "http://127.0.0.1:8002"
AGO = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parser() -> argparse.ArgumentParser:
    """The whole command line; a usage error exits 2."""
    top = argparse.ArgumentParser("log_client", description="Send records to log_service, read and follow them.")
    commands = top.add_subparsers(dest="command", required=True)
    _reading(commands.add_parser("tail", help="follow new records until Ctrl-C"))
    _recent(commands.add_parser("recent", help="print the newest records, newest first"))
    _sending(commands.add_parser("send", help="send lines of text or NDJSON"))
    return top


def _common(command: argparse.ArgumentParser) -> None:
    endpoint = os.environ.get("LOG_SERVICE_URL") or DEFAULT_ENDPOINT
    command.add_argument("--endpoint", default=endpoint, help="address (LOG_SERVICE_URL; now %(default)s)")
    command.add_argument("--region", help="AWS region to sign for (default: from the address, then AWS_REGION)")
    command.add_argument(
        "--sign",
        action=argparse.BooleanOptionalAction,
        help="sign requests (default; on this machine only if there are credentials)",
    )
    command.add_argument("--json", action="store_true", help="print JSON, one value a line")
    command.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: on a terminal")


def _reading(command: argparse.ArgumentParser) -> None:
    _common(command)
    command.add_argument("--service", type=_checked(records.checked_service_name), help="only this service_name")
    command.add_argument("--type", type=_checked(records.checked_log_type), help="only this log_type")
    level = _checked(records.checked_level)
    command.add_argument("--level", action="append", type=level, help="only this level; may be repeated")
    command.add_argument("--min-level", type=level, help="this level and above")
    command.add_argument("--grep", type=_pattern, help="only messages that match this regular expression")
    command.add_argument("--metadata", action="store_true", help="print metadata below each message")


def _recent(command: argparse.ArgumentParser) -> None:
    _reading(command)
    start = command.add_mutually_exclusive_group()
    start.add_argument("--since", type=_instant, help="RFC 3339, or 90s, 15m, 2h, 7d ago")
    start.add_argument("--hours", type=int, help="the last 1-168 hours (default 24)")
    command.add_argument("--until", type=_instant, help="as --since")
    command.add_argument("--limit", type=_positive, default=100, help="how many records (default %(default)s)")
    command.add_argument("--all", action="store_true", help="all records of the period")


def _sending(command: argparse.ArgumentParser) -> None:
    _common(command)
    command.add_argument("files", nargs="*", default=["-"], metavar="FILE", help="files; - is standard input")
    service = _checked(records.checked_service_name)
    command.add_argument("--service", required=True, type=service, help="service_name of the records")
    level = _checked(records.checked_level)
    command.add_argument("--level", type=level, help="level of all records (default: guessed, else INFO)")
    guess = "take the level from words such as ERROR at their usual place (default without --level)"
    command.add_argument("--guess-level", action=argparse.BooleanOptionalAction, help=guess)
    log_type = _checked(records.checked_log_type)
    command.add_argument("--type", type=log_type, default="application", help="log_type (default %(default)s)")
    command.add_argument("--format", choices=("auto", "text", "ndjson"), default="auto", help="default: by first line")
    command.add_argument("--lines", action="store_true", help="each line is a record: do not join stack traces")


def _checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """A check of `records` as an argparse type that tells what is wrong."""

    def checked(text: str) -> str:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {error}") from error


def _positive(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1")
    return int(text)


def _instant(text: str) -> str:
    if ago := AGO.fullmatch(text):
        return records.instant(time.time() - int(ago[1]) * UNITS[ago[2]])
    return text
