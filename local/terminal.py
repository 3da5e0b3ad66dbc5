"""Prints the lines of all parts in one stream, each with its part's name and colour."""

import sys
from itertools import cycle

COLORS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


class Terminal:
    """One stream of lines; colour only on a terminal whose user allows it."""

    def __init__(self, *, color: bool) -> None:
        self._color = color and sys.stdout.isatty()
        self._colors = cycle(COLORS)
        self._chosen: dict[str, int] = {}
        self._width = 0

    def line(self, part: str, text: str) -> None:
        """A line that a part wrote."""
        self._width = max(self._width, len(part))
        name = part.ljust(self._width)
        if self._color:
            name = f"\033[{self._chosen.setdefault(part, next(self._colors))}m{name}\033[0m"
        self.say(f"{name} | {text}")

    @staticmethod
    def say(text: str) -> None:
        """A line of the stack itself; a reader that has gone is no reason to stop."""
        try:
            print(text, flush=True)
        except BrokenPipeError:
            sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115  # for the rest of the process
