"""The answers that the local gateway makes itself: the project's error envelope, as GatewayResponses make it on AWS."""

import json
from typing import NamedTuple

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str | list[str]]
    body: bytes


class Refused(Exception):  # it reads as what happened
    """The gateway refuses the request; `close` ends the connection, whose next bytes cannot be trusted."""

    def __init__(self, status: int, code: str, message: str, *, close: bool = False) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.close = status, code, message, close

    def answer(self, request_id: str) -> Answer:
        """The envelope; its texts are fixed, nothing of the request is repeated."""
        envelope = {"success": False, "error": self.message, "code": self.code, "requestId": request_id}
        headers: dict[str, str | list[str]] = {
            **HEADERS,
            "Content-Type": "application/json",
            "X-Request-Id": request_id,
        }
        if self.status == 401:  # noqa: PLR2004  # RFC 9110, 15.5.2
            headers["WWW-Authenticate"] = "Bearer"
        return Answer(self.status, headers, json.dumps(envelope).encode())


def bad_request(message: str, *, close: bool = False) -> Refused:
    """400 for a request that is not HTTP as it should be."""
    return Refused(400, "BadRequest", message, close=close)


def too_large() -> Refused:
    """413, at API Gateway's own limit."""
    return Refused(413, "PayloadTooLarge", "The request body is larger than 10 MB.", close=True)


def uri_too_long() -> Refused:
    """414."""
    return Refused(414, "UriTooLong", "The URL is too long.", close=True)


def not_found() -> Refused:
    """404; API Gateway's own 403 for unknown routes is mapped to it on AWS too."""
    return Refused(404, "NotFound", "There is no such route.")


def unauthorized() -> Refused:
    """401, for a missing or refused token."""
    return Refused(401, "Unauthorized", "The request carries no valid credentials.")


def forbidden() -> Refused:
    """403, when the authorizer's policy does not allow the route."""
    return Refused(403, "Forbidden", "These credentials do not allow this request.")


def internal_error() -> Refused:
    """500, when the application crashed instead of answering."""
    return Refused(500, "InternalError", "The service could not answer this request.")
