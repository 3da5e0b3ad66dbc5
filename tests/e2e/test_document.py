"""/openapi.json: valid, served without credentials, and so true that a fuzzer that knows nothing else finds no lie."""

import json
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .calling import JSON, NDJSON, PROTOBUF, Api, Reply, check, record, stamp, unique

load_all_checks()
EXAMPLES = 25
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


OPERATIONS = [
    ("POST", "/logs"),
    ("POST", "/logs/batch"),
    ("POST", "/v1/logs"),
    ("GET", "/logs/recent"),
    ("GET", "/logs/tail"),
    ("GET", "/services"),
    ("GET", "/health"),
    ("GET", "/openapi.json"),
]
FUZZED = [
    (*operation, mode)
    for operation in OPERATIONS
    for mode in GenerationMode
    if mode.is_positive or operation[1] not in {"/health", "/openapi.json"}  # there is nothing to get wrong
]


@pytest.fixture(scope="session")
def document(url: str) -> Any:  # noqa: ANN401  # schemathesis's own
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


@pytest.mark.parametrize(("method", "path", "mode"), FUZZED)
def test_every_answer_to_a_fuzzer_is_as_documented(document: Any, method: str, path: str, mode: Any) -> None:  # noqa: ANN401
    @seed(20_261_121)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(document[path][method].as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        if "wait" in (case.query or {}):
            case.query["wait"] = "0"
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)
        headers = {name.lower(): value[0] for name, value in answer.headers.items()}
        check(Reply(answer.status_code, headers, answer.content), case.as_curl_command()[:300])

    holds()


def test_the_document_is_valid_openapi_3_1_and_needs_no_credentials(api: Api) -> None:
    reply = api.get("/openapi.json")

    assert reply.json["openapi"].startswith("3.1")
    validate(reply.json, cls=OpenAPIV31SpecValidator)


def test_every_route_and_every_status_of_the_contract_is_documented(api: Api) -> None:
    paths = api.get("/openapi.json").json["paths"]

    assert {(path, method) for path, methods in paths.items() for method in methods} == {
        ("/logs", "post"),
        ("/logs/batch", "post"),
        ("/v1/logs", "post"),
        ("/logs/recent", "get"),
        ("/logs/tail", "get"),
        ("/services", "get"),
        ("/health", "get"),
        ("/openapi.json", "get"),
    }
    for path in ("/logs", "/logs/batch", "/v1/logs"):
        assert {"200", "400", "401", "409", "413", "415", "429", "503"} <= paths[path]["post"]["responses"].keys()


def examples() -> dict[str, tuple[str, str, Any, str, int]]:
    """What reaches each documented success: method, path, body, media, status."""
    entry = record(unique("documented"), timestamp=stamp(), log_id="9a3f7c5e-54fb-4d0b-9f0e-6a4f5a0f7a11")
    line = b'{"service_name": "a", "log_type": "a", "level": "INFO", "message": "a"}\n'
    return {
        "a new record": ("POST", "/logs", entry, JSON, 201),
        "a duplicate": ("POST", "/logs", entry, JSON, 200),
        "a batch": ("POST", "/logs/batch", {"logs": [entry, entry, {}]}, JSON, 200),
        "lines": ("POST", "/logs/batch", line, NDJSON, 200),
        "OTLP": ("POST", "/v1/logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}]}, JSON, 200),
        "OTLP in part": (
            "POST",
            "/v1/logs",
            {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "1"}]}]}]},
            JSON,
            200,
        ),
        "protobuf": ("POST", "/v1/logs", b"", PROTOBUF, 200),
        "recent": ("GET", "/logs/recent", None, "", 200),
        "a small page": ("GET", "/logs/recent?limit=1", None, "", 200),
        "a partial page or none": ("GET", "/logs/recent?log_type=nobody", None, "", 200),
        "tail": ("GET", "/logs/tail", None, "", 200),
        "services": ("GET", "/services", None, "", 200),
        "health": ("GET", "/health", None, "", 200),
        "the document": ("GET", "/openapi.json", None, "", 200),
    }


def test_every_documented_success_is_reached_and_as_documented(api: Api, document: Any) -> None:  # noqa: ANN401
    for name, (method, path, body, media, status) in examples().items():
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": media} if media else {}
        answer = requests.request(method, api.url + path, data=sent if media else None, headers=headers, timeout=60)

        assert answer.status_code == status, name
        document[path.partition("?")[0]][method].validate_response(answer)
