"""Imports stay in their rooms, and every application has the same rooms."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, applications, imports, modules

MAY_IMPORT = {
    "settings": {"domain"},
    "domain": set(),
    "schemas": {"domain"},
    "store": {"domain"},
    "gateways": {"domain", "settings"},
    "service": {"domain", "schemas", "store", "gateways"},
    "wiring": {"domain", "schemas", "store", "gateways", "service", "settings"},
}
ROOMS = set(MAY_IMPORT)
OPTIONAL = {"gateways"}
OUR_TOP_LEVEL = {"chalicelib", "common", "local", "log_client", "tests", "bench", "deploy"}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[2].removesuffix(".py")


def outside_its_room(path: Path) -> list[str]:
    """The names that a module of an application imports from rooms it may not see."""
    room = room_of(path)
    rooms = {name.split(".")[1] for name in imports(path) if re.match(r"chalicelib\.\w", name)}
    return sorted((rooms & ROOMS) - MAY_IMPORT.get(room, ROOMS) - {room})


def inner_modules(app: str) -> list[Path]:
    return [p for p in modules(app) if p.relative_to(ROOT).parts[1] == "chalicelib"]


@pytest.mark.parametrize("app", applications())
def test_an_application_has_the_rooms_of_the_house_and_no_other(app: str) -> None:
    rooms = {room_of(path) for path in inner_modules(app)} - {"__init__"}

    assert rooms - OPTIONAL == ROOMS - OPTIONAL


@pytest.mark.parametrize("app", applications())
def test_dependencies_point_inwards(app: str) -> None:
    strays = {str(path.relative_to(ROOT)): outside_its_room(path) for path in inner_modules(app)}

    assert {path: rooms for path, rooms in strays.items() if rooms} == {}


@pytest.mark.parametrize("app", applications())
def test_the_domain_knows_of_common_only_errors_and_time(app: str) -> None:
    known = {
        name for path in inner_modules(app) if room_of(path) == "domain" for name in imports(path) if "common" in name
    }

    assert {name.split(".")[1] for name in known} <= {"errors", "clock"}


def test_common_imports_nothing_of_ours() -> None:
    strays = {
        f"{path.name}: {name}"
        for path in modules("common")
        for name in imports(path)
        if name.split(".")[0] in (OUR_TOP_LEVEL | set(applications())) - {"common"}
    }

    assert strays == set()


def test_the_log_client_imports_nothing_of_ours() -> None:
    strays = {
        name
        for path in modules("log_client")
        for name in imports(path)
        if name.split(".")[0] in (OUR_TOP_LEVEL | set(applications())) - {"log_client"}
    }

    assert strays == set()


def test_common_knows_no_application_by_name() -> None:
    named = {
        f"{path.name}: {app}"
        for path in modules("common")
        for app in ("spa_creator", "log_service", "cspm_monitor", "ai_gateway", "servicenow_bridge")
        if app in path.read_text()
    }

    assert named == set()


def test_only_common_aws_makes_clients_and_only_settings_reads_the_environment() -> None:
    for path in modules("common", *applications()):
        names = set(imports(path))
        where = path.relative_to(ROOT).as_posix()

        assert "boto3" not in names or where == "common/aws.py", where
        assert "os" not in names or where == "common/settings.py", where


def test_only_wiring_and_tests_choose_a_class() -> None:
    for app in applications():
        for path in inner_modules(app):
            if room_of(path) in {"service", "schemas", "domain"}:
                text = path.read_text()

                assert "Dynamo" not in text, path


def test_the_rule_sees_an_import_that_strays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stray = tmp_path / "log_service" / "chalicelib" / "domain.py"
    stray.parent.mkdir(parents=True)
    (tmp_path / "log_service" / "app.py").touch()
    stray.write_text("from .store import Tables\n")
    for module in ("sources", "test_rooms"):
        monkeypatch.setattr(f"tests.architecture.{module}.ROOT", tmp_path)

    found = outside_its_room(stray)

    assert found == ["store"]
