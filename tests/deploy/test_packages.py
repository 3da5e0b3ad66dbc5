"""What `chalice package` reads is a clean copy, and what it only prints is heard."""

import sys
from pathlib import Path

import pytest

from deploy.packages import chalice, staged
from deploy.stacks import DeployError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("deploy.packages.BUILD", tmp_path / "build")
    made = tmp_path / "shop"
    for name in (
        "app.py",
        "chalicelib/__init__.py",
        "chalicelib/__pycache__/a.pyc",
        ".chalice/config.json",
        ".chalice/deployed/dev.json",
        "tests/test_app.py",
    ):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").touch()
    (made / "vendor").mkdir()
    (made / "vendor" / "shared").symlink_to(tmp_path / "shared")
    return made


def speaking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a command called `chalice` beside the interpreter."""
    command = tmp_path / "chalice"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))


def test_the_copy_has_no_caches_no_tests_and_no_links(project: Path, tmp_path: Path) -> None:
    source = staged(project, tmp_path / "source")

    assert not list(source.rglob("*.pyc"))
    assert not (source / "tests").exists()
    assert (source / "vendor" / "shared" / "__init__.py").exists()
    assert not (source / "vendor" / "shared").is_symlink()


def test_what_chalice_deployed_before_is_found_in_the_copy(project: Path, tmp_path: Path) -> None:
    source = staged(project, tmp_path / "source")

    assert (source / ".chalice" / "deployed" / "dev.json").read_text() == ".chalice/deployed/dev.json"


def test_a_dependency_left_out_is_an_error_though_chalice_says_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaking(tmp_path, monkeypatch, "echo 'Could not install dependencies: uwsgi'; exit 0")

    with pytest.raises(DeployError, match="uwsgi"):
        chalice(tmp_path, {}, "package")


def test_a_failure_of_chalice_is_an_error_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speaking(tmp_path, monkeypatch, "echo 'no region' >&2; exit 2")

    with pytest.raises(DeployError, match="no region"):
        chalice(tmp_path, {}, "package")


def test_the_environment_reaches_chalice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speaking(tmp_path, monkeypatch, 'test "$LOGS_STREAM_ARN" = here && test "$PYTHONDONTWRITEBYTECODE" = 1')

    chalice(tmp_path, {"LOGS_STREAM_ARN": "here"}, "package")
