"""Waiting for a condition with a deadline, asking often and cheaply."""

from collections.abc import Callable
from time import monotonic, sleep

EVERY_SECONDS = 0.02


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return when the condition holds.

    Raises:
        TimeoutError: It did not hold within `seconds`; the text names what was waited for.
    """
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:.0f} s for {what}.")
        sleep(EVERY_SECONDS)
