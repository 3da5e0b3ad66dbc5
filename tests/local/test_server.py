"""The server of one application: every answer is an answer, whatever arrived."""

import json
import socket
import threading
import time
from http.client import HTTPConnection

import pytest

from local.settings import HOST
from tests.local.conftest import Answer, Sample, request

ENVELOPE = {"success", "error", "code", "requestId"}
SECURITY = {
    "X-Content-Type-Options",
    "Strict-Transport-Security",
    "X-Frame-Options",
    "Referrer-Policy",
    "Content-Security-Policy",
    "Cache-Control",
}


def raw(sample: Sample, sent: bytes) -> Answer:
    """Send bytes as they are; the answer to them."""
    port = int(sample.url.rpartition(":")[2])
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(status.split()[1]), headers, body)


def assert_envelope(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == ENVELOPE
    assert answer.json()["success"] is False
    assert answer.headers["X-Request-Id"] == answer.json()["requestId"]
    assert set(answer.headers) >= SECURITY


def test_the_event_says_what_the_real_gateway_says(sample: Sample) -> None:
    answer = request(sample.url + "/echo", "POST", b"abc").json()

    assert answer["sourceIp"] == "127.0.0.1"
    assert answer["requestId"]
    assert (answer["stage"], answer["greeting"]) == ("local", "hello")
    assert answer["function"] == "sample-local"
    assert 19_000 < answer["remaining"] <= 20_000


@pytest.mark.parametrize(("kind", "encoded"), [("application/octet-stream", True), ("application/json", False)])
def test_a_body_arrives_whole_and_is_base64_for_binary_types_only(sample: Sample, kind: str, *, encoded: bool) -> None:
    body = bytes(range(256)) if encoded else b'{"a": 1}'

    answer = request(sample.url + "/echo", "POST", body, {"Content-Type": kind, "Accept": "*/*"}).json()

    assert (answer["length"], answer["base64"]) == (len(body), encoded)


def test_repeated_parameters_all_arrive_decoded(sample: Sample) -> None:
    answer = request(sample.url + "/query/x?a=1&a=2&b=%2B+%C3%A9&c=").json()

    assert answer["values"] == {"a": ["1", "2"], "b": ["+ é"], "c": [""]}


def test_no_parameters_are_none_at_all(sample: Sample) -> None:
    assert request(sample.url + "/query/x").json()["values"] is None


def test_an_unknown_path_is_404_and_repeats_no_token(sample: Sample) -> None:
    answer = request(sample.url + "/nope", headers={"Authorization": "Bearer very-secret"})

    assert_envelope(answer, 404, "NotFound")
    assert b"very-secret" not in answer.body


def test_a_wrong_method_is_the_applications_to_answer(sample: Sample) -> None:
    for method in ("PUT", "HEAD", "BREW"):
        answer = request(sample.url + "/health", method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")


def test_head_has_no_body_and_the_connection_goes_on(sample: Sample) -> None:
    connection = HTTPConnection(HOST, int(sample.url.rpartition(":")[2]), timeout=10)
    connection.request("HEAD", "/health")
    assert connection.getresponse().read() == b""

    connection.request("GET", "/health")

    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [(None, 401, "Unauthorized"), ("bad", 403, "Forbidden"), ("explode", 401, "Unauthorized")],
)
def test_an_authorizer_that_refuses_or_fails_admits_nobody(
    sample: Sample, token: str | None, status: int, code: str
) -> None:
    answer = request(sample.url + "/guarded", headers={"Authorization": token} if token else {})

    assert_envelope(answer, status, code)
    assert b"secret" not in answer.body
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_an_admitted_caller_is_known_to_the_view(sample: Sample) -> None:
    assert request(sample.url + "/guarded", headers={"Authorization": "good"}).json() == {"who": "someone"}


@pytest.mark.parametrize("path", ["/crash", "/huge"])
def test_a_crash_or_an_answer_larger_than_lambdas_limit_is_500(sample: Sample, path: str) -> None:
    assert_envelope(request(sample.url + path), 500, "InternalError")


def test_204_has_no_body_and_no_length(sample: Sample) -> None:
    answer = request(sample.url + "/nothing", "DELETE")

    assert (answer.status, answer.body) == (204, b"")
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize(
    "target",
    ["/query/%zz", "/query/x?a=%", "/query/x?a=%ff", "/query/\xe9", "/query/x?a=%C3%28", "nowhere"],
)
def test_a_malformed_url_is_400(sample: Sample, target: str) -> None:
    answer = raw(sample, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1"))

    assert_envelope(answer, 400, "BadRequest")


@pytest.mark.parametrize("length", [8_300, 70_000])
def test_a_url_that_is_too_long_is_414(sample: Sample, length: int) -> None:
    answer = raw(sample, b"GET /query/" + b"a" * length + b" HTTP/1.1\r\nHost: x\r\n\r\n")

    assert_envelope(answer, 414, "UriTooLong")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /health HTTP/9.x\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabXX",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nshort",
    ],
)
def test_what_is_not_http_is_400(sample: Sample, sent: bytes) -> None:
    assert_envelope(raw(sample, sent), 400, "BadRequest")


def test_a_chunked_body_arrives_whole(sample: Sample) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"

    answer = raw(sample, head + b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n")

    assert answer.json()["length"] == 7


def test_a_request_without_a_length_has_no_body(sample: Sample) -> None:
    answer = raw(sample, b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert answer.json()["length"] == 0


def test_a_body_over_10_mb_is_413_whether_announced_or_chunked(sample: Sample) -> None:
    body = b"x" * (10 * 1024 * 1024 + 1)
    announced = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    chunked = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body)

    assert_envelope(raw(sample, announced + body), 413, "PayloadTooLarge")
    assert_envelope(raw(sample, chunked + body + b"\r\n0\r\n\r\n"), 413, "PayloadTooLarge")


def test_a_body_of_exactly_10_mb_is_taken(sample: Sample) -> None:
    body = b"x" * (10 * 1024 * 1024)

    assert request(sample.url + "/echo", "POST", body, {"Content-Type": "text/plain"}).json()["length"] == len(body)


def test_100_continue_is_said_before_the_body_is_read(sample: Sample) -> None:
    with socket.create_connection((HOST, int(sample.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(b"ab")
        assert b"200 OK" in connection.recv(1000)


def test_a_kept_connection_costs_no_more_than_new_ones(sample: Sample) -> None:
    port = int(sample.url.rpartition(":")[2])

    def elapsed(*, keep: bool) -> float:
        best = 9.0
        for _ in range(5):
            connection = HTTPConnection(HOST, port, timeout=10)
            began = time.perf_counter()
            for _ in range(10):
                connection.request("GET", "/health")
                connection.getresponse().read()
                if not keep:
                    connection.close()
            best = min(best, time.perf_counter() - began)
            connection.close()
        return best

    assert elapsed(keep=True) < 2 * elapsed(keep=False)  # with Nagle's stall it is a hundred times


def test_requests_at_once_do_not_see_each_others_context(sample: Sample) -> None:
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(request(sample.url + "/echo", "POST", b"x").json()["requestId"]))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(answers)) == 20


def test_json_is_what_a_refusal_is(sample: Sample) -> None:
    answer = request(sample.url + "/nope")

    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.body)["error"] == "There is no such route."
