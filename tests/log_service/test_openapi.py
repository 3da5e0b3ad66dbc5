"""The document says what the application does, and validates."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.common.http import Call, ask
from tests.conftest import load

WRITES = ("/logs", "/logs/batch", "/v1/logs")
READS = ("/logs/recent", "/logs/tail", "/services")


@pytest.fixture(scope="module")
def paths() -> dict[str, dict[str, dict[str, object]]]:
    answer = ask(load("log_service").app, Call("GET", "/openapi.json"))
    assert answer.status == 200
    OpenAPIV31SpecValidator(json.loads(answer.body)).validate()
    return dict(answer.json["paths"])


def test_every_route_is_in_the_document(paths: dict[str, dict[str, dict[str, object]]]) -> None:
    app = load("log_service").app

    assert {path: {method.upper() for method in item} for path, item in paths.items()} == {
        path: set(methods) for path, methods in app.routes.items()
    }


@pytest.mark.parametrize("path", WRITES)
def test_every_write_tells_its_statuses(paths: dict[str, dict[str, dict[str, object]]], path: str) -> None:
    responses = paths[path]["post"]["responses"]

    assert isinstance(responses, dict)
    assert set(responses) >= {"200", "400", "401", "409", "413", "415", "429", "500", "503"}


@pytest.mark.parametrize("path", READS)
def test_every_read_tells_its_statuses(paths: dict[str, dict[str, dict[str, object]]], path: str) -> None:
    responses = paths[path]["get"]["responses"]

    assert isinstance(responses, dict)
    assert set(responses) == {"200", "400", "401", "429", "500", "503"}
    assert paths[path]["get"]["security"]
