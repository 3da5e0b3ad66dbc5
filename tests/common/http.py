"""Requests as API Gateway sends them to Lambda, and what comes back."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from chalice.app import Request

from common.web import Application

type Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return dict(json.loads(self.body))


@dataclass(frozen=True)
class LambdaContext:
    """What Powertools and Chalice ask of it."""

    remaining_ms: int = 30_000
    aws_request_id: str = "request-1"
    function_name: str = "function"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:function"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    query: dict[str, list[str]] = field(default_factory=dict)
    identity: Json = field(default_factory=dict)

    def event(self) -> Json:
        return {
            "requestContext": {
                "httpMethod": self.method,
                "resourcePath": self.path,
                "requestId": "request-1",
                "identity": self.identity,
            },
            "headers": dict(self.headers),
            "multiValueQueryStringParameters": self.query or None,
            "pathParameters": None,
            "stageVariables": None,
            "body": None if self.body is None else base64.b64encode(self.body).decode(),
            "isBase64Encoded": self.body is not None,
        }

    def request(self) -> Request:
        event = self.event()
        event["headers"] = {name.lower(): value for name, value in self.headers.items()}
        return Request(event, LambdaContext())


def ask(app: Application, call: Call) -> Answer:
    made = app(call.event(), LambdaContext())
    raw = made["body"].encode() if not made.get("isBase64Encoded") else base64.b64decode(made["body"])
    return Answer(made["statusCode"], {**made["headers"]}, raw)
