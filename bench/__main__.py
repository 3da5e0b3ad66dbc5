"""`python -m bench [name ...] [--quick] [--json FILE]`: measure, and print the table. A missed goal is no failure."""

import argparse
import importlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from bench.canned import canned_dynamodb
from bench.pairs import Pace
from bench.results import Result, table

MEASUREMENTS = {
    "dispatch": "bench.dispatch",
    "ingest": "bench.ingest",
    "page": "bench.reading",
    "import": "bench.imports",
    "package": "bench.package_size",
    "throughput": "bench.throughput",
    "growth": "bench.growth",
}


def main() -> None:
    """Measure what was asked for, in order."""
    asked = _arguments()
    started = time.monotonic()
    with canned_dynamodb() as endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        results = [result for name in asked.names or MEASUREMENTS for result in _results(name, endpoint, asked.quick)]
    print("\n" + table(results))
    print(f"\n{time.monotonic() - started:.0f} s")
    if asked.json:
        asked.json.write_text(json.dumps([result.as_json() for result in results], indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", choices=[*MEASUREMENTS, []], help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="three pairs and small tables, within two minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    return parser.parse_args()


def _results(name: str, endpoint: str, quick: bool) -> Sequence[Result]:  # noqa: FBT001  # the flag as it came
    print(f"... {name}", flush=True)
    found: Sequence[Result] = list(importlib.import_module(MEASUREMENTS[name]).run(endpoint, Pace(quick)))
    return found


if __name__ == "__main__":
    main()
