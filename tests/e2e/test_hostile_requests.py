"""Requests that mean harm, down to raw bytes on a socket: every one is answered as HTTP asks, in our envelope."""

import socket
from http.client import HTTPResponse
from itertools import product
from urllib.parse import urlsplit

import pytest

from .calling import JSON, Api, Reply, check, record

GETS = ("/logs/recent", "/logs/tail", "/services", "/health", "/openapi.json")
POSTS = ("/logs", "/logs/batch", "/v1/logs")
HOST = b"Host: here\r\n"
BAD_QUERIES = (
    "limit=0",
    "limit=-1",
    "limit=1001",
    "limit=1.5",
    "limit=abc",
    "limit=1e3",
    "limit=%2B5",
    "limit=%D9%A1%D9%A0",
    "limit=1000000000000",
    "limit=1&limit=2",
    "limit=",
    "limit",
    "limit=%00",
    "limit=5%20",
    "cursor=",
    "cursor=x",
    "cursor=AAAA",
    "cursor=%F0%9F%98%80",
    f"cursor={'A' * 2000}",
    "service_name=",
    "service_name=a%20b",
    "service_name=a%00",
    "service_name=a&service_name=b",
    "log_type=A",
    "level=",
    "level=LOUD",
    "level=ERROR&level=x",
    "min_level=x",
    "min_level=INFO&min_level=WARN",
    "level=INFO&min_level=ERROR",
    "unknown=1",
    "%00=1",
    "=1",
    "Limit=1",
    "level%5B%5D=INFO",
    "__proto__=1",
    "%E2%80%AE=1",
    f"{'x' * 3000}=1",
)
BAD_SPANS = (
    "hours=0",
    "hours=169",
    "hours=-1",
    "hours=1.5",
    "hours=x",
    "hours=1&since=2026-11-01T00:00:00Z",
    "since=x",
    "since=2026-11-01",
    "since=2026-11-01T00:00:00",
    "since=1790000000",
    "until=",
    "until=2026-02-30T00:00:00Z",
    "since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z",
    "since=2026-11-01T00:00:00%0001:00",
)
BAD_WAITS = (
    "wait=21",
    "wait=-1",
    "wait=x",
    "wait=NaN",
    "wait=inf",
    "wait=1e1",
    "since=2026-11-01T00:00:00Z",
    "hours=1",
)


def raw(api: Api, *parts: bytes, end: bool = False) -> list[Reply]:
    """Send bytes, half-close when that is the end, and read every answer until the server closes."""
    place = urlsplit(api.url)
    assert place.port
    replies = []
    with socket.create_connection(("127.0.0.1", place.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        if end:
            connection.shutdown(socket.SHUT_WR)
        with HTTPResponse(connection) as answer:
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            replies.append(Reply(answer.status, headers, answer.read()))
    return replies


@pytest.mark.parametrize(("path", "query"), list(product(("/logs/recent", "/logs/tail"), BAD_QUERIES)))
def test_a_wrong_parameter_is_400_and_named(api: Api, path: str, query: str) -> None:
    reply = api.call("GET", f"{path}?{query}")

    assert reply.status == 400
    assert len(reply.fields) == 1


@pytest.mark.parametrize("query", BAD_SPANS)
def test_a_wrong_span_is_400_and_named(api: Api, query: str) -> None:
    reply = api.call("GET", f"/logs/recent?{query}")

    assert reply.status == 400
    assert reply.fields <= {"since", "until", "hours"}


@pytest.mark.parametrize("query", BAD_WAITS)
def test_a_wrong_wait_is_400_and_named(api: Api, query: str) -> None:
    reply = api.call("GET", f"/logs/tail?{query}")

    assert (reply.status, reply.fields) == (400, {query.partition("=")[0]})


@pytest.mark.parametrize(("method", "path"), [*product(["GET"], GETS[2:]), *product(["POST"], POSTS)])
def test_routes_without_parameters_take_none(api: Api, method: str, path: str) -> None:
    body = {"/logs": b'{"service_name": "a", "log_type": "a", "level": "INFO", "message": "a"}'}.get(path)
    if path == "/logs/batch":
        body = b'{"logs": [{}]}'
    reply = api.call(method, path + "?x=1", body or b"{}", {"Content-Type": JSON})

    assert (reply.status, reply.fields) == (400, {"x"})


@pytest.mark.parametrize("path", [*GETS, *POSTS])
@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "BREW", "get"])
def test_another_method_is_405_and_says_which_is_right(api: Api, method: str, path: str) -> None:
    reply = api.call(method, path)

    assert reply.status == 405
    assert reply.headers["allow"].split(", ") == ["GET" if path in GETS else "POST"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/x",
        "/logs/x",
        "/logs/recent/x",
        "/logs//recent",
        "//x/services",
        "/services;a",
        "/%00",
        "/services%00",
        "/services%2F",
        "/..%2fservices",
        "/./services",
        "/logs/../services",
        "/Services",
        "/" + "a" * 7000,
    ],
)
def test_an_unknown_address_is_404(api: Api, path: str) -> None:
    assert api.call("GET", path).status == 404


@pytest.mark.parametrize("path", ["/%zz", "/%", "/%f", "/%ff", "/services?a=%zz", "/services?%ff"])
def test_a_broken_percent_encoding_is_400(api: Api, path: str) -> None:
    assert api.call("GET", path).status == 400


def test_an_address_of_100_kb_is_414(api: Api) -> None:
    assert api.call("GET", "/" + "a" * 60_000).status == 414
    assert raw(api, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")[0].status == 414


@pytest.mark.parametrize(
    "line",
    [
        b"GET",
        b"GET /health HTTP/9.9",
        b"GET /health HTTP/x",
        b"\x00\x01\x02",
        b"GET  /health  HTTP/1.1 x",
        b"\xff\xfe GET / HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_a_line_that_is_no_request_is_answered(api: Api, line: bytes) -> None:
    reply = raw(api, line + b"\r\n\r\n", end=True)[0]

    check(reply, repr(line))
    assert reply.status in {400, 404, 405, 505}


@pytest.mark.parametrize(
    "headers",
    [
        b"X: " + b"a" * 70_000 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % n for n in range(200)),
    ],
)
def test_too_many_or_too_large_headers_are_431(api: Api, headers: bytes) -> None:
    reply = raw(api, b"GET /health HTTP/1.1\r\n" + HOST + headers + b"\r\n")[0]

    check(reply, "headers")
    assert reply.status == 431


POST = b"POST /logs HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\n" + HOST


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"\r\n", 400),  # no length, no body
        (b"Content-Length: 5\r\n\r\n{}", 400),  # shorter than announced
        (b"Content-Length: -1\r\n\r\n{}", 400),
        (b"Content-Length: x\r\n\r\n{}", 400),
        (b"Content-Length: 2, 3\r\n\r\n{}", 400),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}", 400),
        (b"Content-Length: 99999999999999999999\r\n\r\n", 413),
        (b"Content-Length: 10485761\r\n\r\n", 413),
        (b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n", 413),
    ],
)
def test_a_wrong_length_is_answered_and_nothing_is_taken(api: Api, rest: bytes, status: int) -> None:
    reply = raw(api, POST + rest, end=True)[0]

    check(reply, repr(rest))
    assert reply.status == status


def test_a_body_in_chunks_is_a_body(api: Api, service: str) -> None:
    body = str(record(service)).replace("'", '"').encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[n : n + 1]) for n in range(len(body))) + b"0\r\n\r\n"

    reply = raw(api, POST + b"Transfer-Encoding: chunked\r\n\r\n", chunks)[0]

    assert reply.status == 201
    assert len(api.walk(service_name=service)) == 1


def test_a_client_that_waits_to_be_told_to_go_on_is_told(api: Api) -> None:
    reply = raw(api, POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n", b"{}")[0]

    assert reply.status == 400


def test_a_client_that_leaves_hurts_nobody(api: Api) -> None:
    place = urlsplit(api.url)
    assert place.port
    for part in (b"", b"GET /", POST, POST + b"Content-Length: 100\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", place.port), timeout=5) as connection:
            connection.sendall(part)

    assert api.get("/health").status == 200


def test_headers_a_caller_sends_cannot_choose_the_request_id_or_the_caller(api: Api) -> None:
    mine = {"X-Request-Id": "mine", "X-Amzn-Requestid": "mine", "X-Forwarded-For": "1.2.3.4"}

    assert api.call("GET", "/services", None, mine).headers["x-request-id"] != "mine"


def test_hostile_header_values_change_nothing(api: Api) -> None:
    for value in ("\x7f", "é".encode().decode("latin-1"), "a" * 8_000, "'\"<script>", "${jndi:ldap://x}"):
        for name in ("Accept", "User-Agent", "Origin", "Authorization", "Accept-Encoding", "Cookie", "X-Amz-Date"):
            reply = api.call("GET", "/services", None, {name: value})
            assert reply.status == 200
            assert "access-control-allow-origin" not in reply.headers
