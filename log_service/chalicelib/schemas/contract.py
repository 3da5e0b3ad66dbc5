"""What each route takes and answers, for the OpenAPI document."""

from typing import Any

from common.health import Health
from common.openapi import Operation

from . import otlp_schema
from .incoming import NDJSON, BatchIn, LogIn, RecentQuery, TailQuery
from .outgoing import BatchOut, CreatedOut, RecentOut, ServicesOut, TailOut

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
JSON_ONLY = [JSON]
JSON_OR_NDJSON = [JSON, NDJSON]
JSON_OR_PROTOBUF = [PROTOBUF, JSON]
WRITE_ERRORS = (400, 401, 409, 413, 415)
READ_ERRORS = (400, 401)

SECURITY: dict[str, dict[str, Any]] = {
    "sigv4": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
        "description": "AWS Signature Version 4, service execute-api. Not asked for in stage local.",
    }
}
CREATE_LOG = Operation(
    body={JSON: LogIn},
    responses={201: {JSON: CreatedOut}, 200: {JSON: CreatedOut}},
    errors=WRITE_ERRORS,
    idempotent=True,
)
CREATE_LOGS = Operation(
    body={JSON: BatchIn, NDJSON: {}}, responses={200: {JSON: BatchOut}}, errors=WRITE_ERRORS, idempotent=True
)
EXPORT_LOGS = Operation(
    body={JSON: otlp_schema.REQUEST, PROTOBUF: {}},
    responses={200: {JSON: otlp_schema.RESPONSE, PROTOBUF: {}}},
    errors=WRITE_ERRORS,
    idempotent=True,
)
RECENT = Operation(query=RecentQuery, responses={200: {JSON: RecentOut}}, errors=READ_ERRORS)
TAIL = Operation(query=TailQuery, responses={200: {JSON: TailOut}}, errors=READ_ERRORS)
SERVICES = Operation(responses={200: {JSON: ServicesOut}}, errors=READ_ERRORS)
HEALTH = Operation(responses={200: {JSON: Health}, 503: {JSON: Health}})
OPENAPI = Operation(responses={200: {JSON: {"type": "object"}}})
