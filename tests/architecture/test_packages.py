"""What reaches Lambda, and the files that Chalice reads to make it."""

import json
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from deploy.packages import ROOT, Package
from tests.architecture.sources import applications

STAGES = ("local", "dev", "prod")
MEGABYTES = 1024 * 1024
each_application = pytest.mark.parametrize("app", applications())


def shipped(package: Package) -> list[PurePosixPath]:
    with zipfile.ZipFile(package.code) as code:
        return [PurePosixPath(name) for name in code.namelist()]


@each_application
def test_the_package_holds_the_application_and_common(app: str, packaged: Callable[[str], Package]) -> None:
    names = {str(path) for path in shipped(packaged(app))}

    assert {"app.py", "chalicelib/__init__.py", "common/__init__.py", "chalice/app.py"} <= names


@each_application
def test_the_package_holds_no_cache_and_no_test_of_ours(app: str, packaged: Callable[[str], Package]) -> None:
    paths = shipped(packaged(app))
    ours = [path for path in paths if path.parts[0] in {"app.py", "chalicelib", "common", "tests"}]

    assert [path for path in paths if path.suffix == ".pyc" or "__pycache__" in path.parts] == []
    assert [path for path in ours if path.name.startswith("test_") or "tests" in path.parts] == []


@each_application
def test_the_package_is_small_enough_to_start_fast(app: str, packaged: Callable[[str], Package]) -> None:
    assert packaged(app).code.stat().st_size <= 5 * MEGABYTES


@each_application
def test_vendor_holds_only_links_to_shared_packages(app: str) -> None:
    entries = list((ROOT / app / "vendor").iterdir())

    assert [entry.name for entry in entries if not entry.is_symlink()] == []
    assert {entry.resolve().parent for entry in entries} == {ROOT}


@each_application
def test_every_stage_is_configured_alike(app: str) -> None:
    config = json.loads((ROOT / app / ".chalice" / "config.json").read_text())

    assert tuple(config["stages"]) == STAGES
    assert config["autogen_policy"] is False
    assert len({json.dumps(stage).replace(name, "STAGE") for name, stage in config["stages"].items()}) == 1
    assert [stage["api_gateway_stage"] for stage in config["stages"].values()] == list(STAGES)


@each_application
def test_every_stage_has_the_same_policies(app: str) -> None:
    folder = ROOT / app / ".chalice"
    handlers = json.loads((folder / "config.json").read_text())["stages"]["prod"]["lambda_functions"]

    for handler in handlers:
        texts = {stage: (folder / f"policy-{handler}-{stage}.json").read_text() for stage in STAGES}
        assert len({text.replace(f"-{stage}", "-STAGE") for stage, text in texts.items()}) == 1
        assert all(f"-{stage}" in text for stage, text in texts.items())
