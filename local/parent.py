"""A process that dies with its parent, however the parent dies."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def stop_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send the signal when the thread that started this process ends."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise SystemExit(1)
