"""log_service in this process, called as Lambda calls it."""

import base64
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
APPLICATION = REPOSITORY / "log_service"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
ENVIRONMENT = {
    **CREDENTIALS,
    "STAGE": "dev",
    "LOG_LEVEL": "INFO",
    "DYNAMODB_TABLE_NAME": "logs",
    "SERVICES_TABLE_NAME": "services",
    "IDEMPOTENCY_TABLE_NAME": "idempotency",
}
NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115  # open as long as the process
CONTEXT = SimpleNamespace(aws_request_id="b", function_name="bench", memory_limit_in_mb=256, invoked_function_arn="arn")
HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Content-Type": "application/json",
    "Host": "abcdefghij.execute-api.us-east-1.amazonaws.com",
    "User-Agent": "log-client/1.0",
    "X-Amz-Date": "20260203T040506Z",
    "X-Amzn-Trace-Id": "Root=1-65bdc1d2-0123456789abcdef01234567",
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}

type Event = dict[str, Any]
type Handler = Callable[[Event, Any], dict[str, Any]]


@cache
def room(name: str) -> Any:  # noqa: ANN401  # a module of the application
    """A module of log_service by the name that it has on Lambda; its log lines go nowhere."""
    os.environ.update(ENVIRONMENT)
    if str(APPLICATION) not in sys.path:
        sys.path.insert(0, str(APPLICATION))
    with redirect_stdout(NOWHERE):
        return importlib.import_module(name)


def answered(event: Event) -> bytes:
    """Let the application answer; the body of a success."""
    answer = room("app").app(event, CONTEXT)
    body = str(answer["body"])
    assert answer["statusCode"] < 300, body  # noqa: PLR2004  # HTTP's successes
    return base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()


@contextmanager
def replaced(module: Any, **members: object) -> Iterator[None]:  # noqa: ANN401  # as above
    """While inside, other members stand in a module."""
    kept = {name: getattr(module, name) for name in members}
    vars(module).update(members)
    try:
        yield
    finally:
        vars(module).update(kept)


@contextmanager
def silent() -> Iterator[None]:
    """While inside, no request line is written."""
    logger = logging.getLogger("log_service")
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


def post(path: str, body: bytes) -> Event:
    """A POST of API Gateway, which encodes every body for an application that takes binary ones."""
    return {**_event("POST", path, None), "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def get(path: str, **parameters: str) -> Event:
    """A GET of API Gateway."""
    return _event("GET", path, {name: [value] for name, value in parameters.items()})


def _event(method: str, path: str, parameters: dict[str, list[str]] | None) -> Event:
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": dict(HEADERS),
        "multiValueHeaders": {name: [value] for name, value in HEADERS.items()},
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} if parameters else None,
        "multiValueQueryStringParameters": parameters,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": f"/dev{path}",
            "stage": "dev",
            "requestId": "3f0b6d5e-1111-4222-8333-944445555666",
            "identity": {"sourceIp": "192.0.2.7", "userArn": "arn:aws:sts::123456789012:assumed-role/writer/session"},
        },
        "body": None,
        "isBase64Encoded": False,
    }
