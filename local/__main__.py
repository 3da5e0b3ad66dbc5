"""The doors of the local stack: `python -m local up | demo | fire | chalice`."""

import argparse
import os
import sys
from pathlib import Path

from local import settings

BESIDE = 100


def up(_: argparse.Namespace) -> int:
    """Run everything."""
    from local.up import up as run  # noqa: PLC0415  # each door imports only what it needs

    return run()


def demo(_: argparse.Namespace) -> int:
    """Fill the running stack."""
    from local.demo import demo as fill  # noqa: PLC0415

    return fill()


def fire(given: argparse.Namespace) -> int:
    """Run one handler."""
    from local.fire import fire as run  # noqa: PLC0415

    return run(given.application, given.handler, given.event and given.event.resolve())


def chalice(given: argparse.Namespace) -> int:
    """Become `chalice local`, beside the stack's own server of the application."""
    from local.fire import environment_of  # noqa: PLC0415

    environment = environment_of(given.application)
    port = str(settings.port(given.application) + BESIDE)
    program = str(Path(sys.executable).with_name("chalice"))
    project = str(settings.root() / given.application)
    command = [program, "--project-dir", project, "local", "--stage", settings.STAGE, "--port", port]
    os.execve(program, command, environment)  # noqa: S606  # no shell is wanted


def main() -> int:
    """Read the command line and open the door."""
    parser = argparse.ArgumentParser(prog="python -m local")
    doors = parser.add_subparsers(required=True)
    doors.add_parser("up", help="run the whole system").set_defaults(door=up)
    doors.add_parser("demo", help="fill the running stack").set_defaults(door=demo)
    firing = doors.add_parser("fire", help="run one handler now")
    firing.add_argument("application")
    firing.add_argument("handler")
    firing.add_argument("--event", type=Path, help="a file with the event; without it, one of the right shape")
    firing.set_defaults(door=fire)
    beside = doors.add_parser("chalice", help="`chalice local` against the running stack")
    beside.add_argument("application")
    beside.set_defaults(door=chalice)
    given = parser.parse_args()
    settings.adopt(settings.child_environment())
    code: int = given.door(given)
    return code


if __name__ == "__main__":
    sys.exit(main())
