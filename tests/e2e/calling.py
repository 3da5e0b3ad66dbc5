"""Calls a served log_service as any HTTP client does, and holds every single answer to the promises made for all."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from local.waiting import until

JSON = "application/json"
NDJSON = "application/x-ndjson"
PROTOBUF = "application/x-protobuf"
TIMEOUT = 60
BUSY = {429, 503}
BUSY_SECONDS = 60
PROMISED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
_numbers = count()


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  # any JSON
        return json.loads(self.body)

    @property
    def fields(self) -> set[str]:
        """The fields that an error names."""
        return {detail["field"] for detail in self.json.get("details", ())}


class Api:
    """One served application; threads may share it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = urlsplit(url).netloc

    def get(self, path: str, **query: object) -> Reply:
        return self.call("GET", path + asked(query))

    def post(self, path: str, body: Any, media: str | None = JSON, **headers: str) -> Reply:  # noqa: ANN401
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", path, raw, {**({"Content-Type": media} if media else {}), **named})

    def call(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Any request; the answer is checked for what every answer promises, 500 among what it never is."""
        reply = self.call_unchecked(method, target, body, headers)
        check(reply, f"{method} {target[:200]}", bodiless=method == "HEAD")
        return reply

    def call_unchecked(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        with closing(HTTPConnection(self.host, timeout=TIMEOUT)) as connection:
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())

    def pages(self, **query: object) -> Iterator[dict[str, Any]]:
        """Every page of /logs/recent."""
        cursor: object = None
        while True:
            page = self.found("/logs/recent", **query, **({"cursor": cursor} if cursor else {}))
            yield page
            cursor = page["nextCursor"]
            if cursor is None:
                return

    def walk(self, **query: object) -> list[dict[str, Any]]:
        """Every record of /logs/recent."""
        return [log for page in self.pages(**query) for log in page["logs"]]

    def found(self, path: str, **query: object) -> dict[str, Any]:
        """The body of an answer that must be 200, asked for again while the store is busy."""
        replies: list[Reply] = []

        def answered() -> bool:
            replies.append(self.get(path, **query))
            return replies[-1].status not in BUSY

        until(answered, BUSY_SECONDS, "a busy store")
        assert replies[-1].status == 200, replies[-1].body[:500]
        made: dict[str, Any] = replies[-1].json
        return made


def check(reply: Reply, what: str, *, bodiless: bool = False) -> None:
    """What api.md promises for every answer whatever failed."""
    assert reply.status != 500, f"{what} was answered 500: {reply.body[:500]!r}"
    for name, value in PROMISED.items():
        assert reply.headers.get(name) == value, f"{what}: {name} is {reply.headers.get(name)!r}"
    assert "max-age" in reply.headers.get("strict-transport-security", ""), what
    assert reply.headers.get("x-request-id"), f"{what}: no X-Request-Id"
    if reply.status >= 400 and not bodiless and b'"checks"' not in reply.body[:2000]:
        check_envelope(reply, what)


def check_envelope(reply: Reply, what: str) -> None:
    """The one envelope, with the request's id, a sentence and a code."""
    assert reply.headers["content-type"] == JSON, what
    body = reply.json
    assert body["success"] is False, what
    assert body["requestId"] == reply.headers["x-request-id"], what
    assert body["error"].isprintable(), what
    assert body["code"].isalpha(), what
    if body["code"] == "ValidationFailed" and "results" not in body:
        assert body["details"], what
        assert all(detail["field"] and detail["message"] for detail in body["details"]), what
    if reply.status in {429, 503} or body["code"] == "InProgress":
        assert int(reply.headers["retry-after"]) >= 1, what
    if reply.status == 405:
        assert reply.headers["allow"], what


def asked(query: Mapping[str, object]) -> str:
    """A query string; a list repeats its parameter."""
    return f"?{urlencode(query, doseq=True, quote_via=quote)}" if query else ""


def unique(name: str = "service") -> str:
    """A service_name that nobody else writes."""
    return f"{name}-{datetime.now(UTC):%H%M%S%f}-{next(_numbers)}"


def record(service_name: str, **fields: object) -> dict[str, Any]:
    """A record that is taken."""
    return {
        "service_name": service_name,
        "log_type": "application",
        "level": "INFO",
        "message": "all is well",
        **fields,
    }


def stamp(ago: float = 0) -> str:
    """The instant `ago` seconds before now."""
    return (datetime.now(UTC) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
