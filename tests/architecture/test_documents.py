"""What a reader needs is written where a reader looks, and is current."""

import json
import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, applications, tracked
from tests.conftest import load

HEADINGS = ["Why", "Routes", "Settings", "Run", "Deploy", "Operate"]
LINK = re.compile(r"\[[^\]]+\]\((?!https?:|#|mailto:)([^)#\s]+)")


def readme(app: str) -> str:
    return (ROOT / app / "README.md").read_text()


@pytest.mark.parametrize("app", applications())
def test_every_application_explains_itself_under_the_same_headings(app: str) -> None:
    assert re.findall(r"^## (.+)$", readme(app), re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("app", applications())
def test_every_setting_is_documented(app: str) -> None:
    load(app)
    settings = __import__(f"{app}.chalicelib.settings", fromlist=["Settings"]).Settings
    undocumented = [name.upper() for name in settings.model_fields if f"`{name.upper()}`" not in readme(app)]

    assert undocumented == []


@pytest.mark.parametrize("app", applications())
def test_every_route_is_documented(app: str) -> None:
    routes = [f"{method} {path}" for path, methods in load(app).app.routes.items() for method in methods]
    undocumented = [route for route in routes if f"`{route}`" not in readme(app)]

    assert undocumented == []


@pytest.mark.parametrize("app", applications())
def test_the_committed_openapi_document_is_current(app: str) -> None:
    module = load(app)
    document = module.document(module.app, module.VERSION, module.contract.SECURITY)
    committed = json.loads((ROOT / "docs" / "openapi" / f"{app}.json").read_text())

    assert committed == json.loads(json.dumps(document)), "run `make openapi`"


@pytest.mark.parametrize("app", applications())
def test_what_is_shared_is_vendored_by_link(app: str) -> None:
    links = list((ROOT / app / "vendor").iterdir())

    assert ROOT / app / "vendor" / "common" in links
    assert all(link.is_symlink() and link.resolve() == ROOT / link.name for link in links)


@pytest.mark.parametrize("page", [path for path in tracked() if path.suffix == ".md"], ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]

    assert missing == []


def test_every_make_door_says_what_it_does() -> None:
    targets = set(re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split())
    explained = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert targets - explained <= {"lint", "types"}
