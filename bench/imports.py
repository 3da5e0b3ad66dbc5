"""What a cold start imports, as a whole process, beside making one boto3 client."""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.application import APPLICATION, ENVIRONMENT, REGION, REPOSITORY
from bench.pairs import Pace, Program, measure_processes
from bench.results import Result, from_ratios

GOAL_WITH_BYTECODE = 1.5
GOAL_WITHOUT = 1.8
MOST_MODULES = 560
CLIENT = f"import boto3; boto3.client('dynamodb', region_name='{REGION}')"
COUNT = "import app, sys; print(len(sys.modules), *(name in sys.modules for name in ('boto3', 'botocore.session')))"


def run(_endpoint: str, pace: Pace) -> Iterator[Result]:
    """With and without bytecode, and the number of modules."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        for text in ("import app", CLIENT):
            _program(text, cache, keeps=True).run()
        yield _compared("import app, bytecode : boto3 client", cache, GOAL_WITH_BYTECODE, pace)
        for path in (sysconfig.get_paths()["purelib"], REPOSITORY):
            shutil.rmtree(cache / Path(path).relative_to("/"))
        yield _compared("import app, no bytecode : boto3 client", cache, GOAL_WITHOUT, pace)
    yield _modules()


def _compared(name: str, cache: Path, goal: float, pace: Pace) -> Result:
    pairs = measure_processes(_program("import app", cache), _program(CLIENT, cache), pace)
    return from_ratios(name, pairs.ratios, goal, pairs.note("process"))


def _program(text: str, cache: Path, *, keeps: bool = False) -> Program:
    """Bytecode lies in `cache` alone. The standard library keeps its own there, as Lambda's does."""
    writing = {"PYTHONDONTWRITEBYTECODE": "" if keeps else "1", "PYTHONPYCACHEPREFIX": str(cache)}
    return Program([sys.executable, "-c", text], APPLICATION, {**ENVIRONMENT, "PYTHONPATH": "vendor", **writing})


def _modules() -> Result:
    program = _program(COUNT, Path(tempfile.gettempdir()))
    told = subprocess.run(  # noqa: S603  # our own words
        program.command, cwd=program.folder, env=program.environment, check=True, capture_output=True, text=True
    )
    modules, boto3, botocore = told.stdout.split()
    note = f"boto3 among them: {boto3}; botocore: {botocore}"
    return Result("modules after import app", int(modules), MOST_MODULES, "modules", note=note)
