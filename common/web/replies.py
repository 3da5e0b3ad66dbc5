"""What goes out: bodies as JSON, the error envelope, the headers of every answer."""

from collections.abc import Mapping
from typing import Any

import orjson
from chalice.app import Response

from common.errors import ApplicationError, envelope

JSON = "application/json"
SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
CHALICE_CODES: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The request cannot be understood."),
    401: ("Unauthorized", "Sign the request."),
    403: ("Forbidden", "You may not do this."),
    404: ("NotFound", "There is no such address."),
    405: ("MethodNotAllowed", "This address does not take that method."),
    415: ("UnsupportedMediaType", "The Content-Type is not taken here."),
    429: ("TooManyRequests", "Too many requests. Try again."),
}
INTERNAL = ("InternalError", "Something went wrong on our side. Tell us the request id.")


def reply(body: str | bytes, status: int = 200, headers: Mapping[str, Any] | None = None) -> Response:
    """An answer whose body is ready; JSON unless a Content-Type is given."""
    return Response(body, {"Content-Type": JSON, **(headers or {})}, status)


def json_reply(body: Any, status: int = 200, headers: Mapping[str, Any] | None = None) -> Response:  # noqa: ANN401
    """An answer from anything that is JSON, pydantic's `model_dump(mode="json")` included."""
    return reply(orjson.dumps(body), status, headers)


def error_reply(error: ApplicationError, request_id: str) -> Response:
    """The envelope of an error we raised."""
    body = envelope(error.message, error.code, request_id, error.details)
    return json_reply({**body, **error.fields}, error.status, error.headers)


def internal_reply(request_id: str) -> Response:
    """The envelope when something broke; it says nothing of what."""
    code, message = INTERNAL
    return json_reply(envelope(message, code, request_id), 500)


def in_envelope(response: Response, request_id: str) -> Response:
    """Chalice's own answers (405, 415, an uncaught exception) in our envelope; any other answer unchanged."""
    if response.status_code < 400 or not isinstance(response.body, dict) or "Code" not in response.body:  # noqa: PLR2004
        return response
    code, message = CHALICE_CODES.get(response.status_code, INTERNAL)
    return json_reply(envelope(message, code, request_id), response.status_code, response.headers)
