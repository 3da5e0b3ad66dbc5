"""The bytes of what a release uploads."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path

from bench.application import APPLICATION, REGION
from bench.pairs import Pace
from bench.results import Result
from deploy.packages import package

GOAL = 5.0
MIB = 1024 * 1024


def run(_endpoint: str, _pace: Pace) -> Iterator[Result]:
    """log_service's."""
    with tempfile.TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
        made = package(APPLICATION, "dev", {"AWS_DEFAULT_REGION": REGION}, Path(folder) / "package")
        size = made.code.stat().st_size
    yield Result("package of log_service", size / MIB, GOAL, "MiB", note=f"{size:,} bytes")
