"""`chalice package` from a clean copy of an application, so that no cache or test of this machine reaches Lambda."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.stacks import DeployError

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
NOT_SHIPPED = shutil.ignore_patterns(
    "__pycache__", "*.pyc", "deployments", "deployed", "tests", ".*_cache", "build", "*.egg-info"
)
DROPPED = "Could not install dependencies"


@dataclass(frozen=True, slots=True)
class Package:
    """What `chalice package` made: the SAM template, merged with edge.yaml, and the code beside it."""

    template: dict[str, Any]
    code: Path
    source: Path


def package(project: Path, stage: str, environment: Mapping[str, str], out: Path) -> Package:
    """Package one stage of the application in `project` into the folder `out`.

    Raises:
        DeployError: Chalice failed, or it left out a dependency (which it only prints).
    """
    shutil.rmtree(out, ignore_errors=True)
    source = staged(project, out / "source")
    edge = project / "edge.yaml"
    merge = ["--merge-template", str(edge)] if edge.exists() else []
    chalice(source, environment, "package", "--stage", stage, *merge, str(out.absolute()))
    written = next(path for path in (out / "sam.yaml", out / "sam.json") if path.exists())
    return Package(_plain(written), out / "deployment.zip", source)


def staged(project: Path, source: Path) -> Path:
    """Copy the application without caches, links resolved. Chalice's own notes stay where they are kept."""
    shutil.copytree(project, source, ignore=NOT_SHIPPED)
    for notes, kept in (("deployments", BUILD / project.name), ("deployed", project / ".chalice")):
        (kept / notes).mkdir(parents=True, exist_ok=True)
        (source / ".chalice" / notes).symlink_to(kept / notes)
    return source


def chalice(source: Path, environment: Mapping[str, str], *arguments: str) -> None:
    """Run the Chalice command line on a copy and show what it says."""
    command = [str(Path(sys.executable).with_name("chalice")), "--project-dir", str(source), *arguments]
    whole = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(command, env=whole, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    said = done.stdout + done.stderr
    sys.stderr.write(said)
    if done.returncode or DROPPED in said:
        raise DeployError(f"chalice {arguments[0]} failed in {source}:\n{said}")


def _plain(template: Path) -> dict[str, Any]:
    """The template without YAML's aliases, which CloudFormation refuses."""
    plain: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(template.read_text())))
    return plain
