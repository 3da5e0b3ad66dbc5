"""A small log_service on the loopback that keeps the contract of its batch, recent, tail and services routes.

It checks signatures with botocore, and can be told to fail in all the ways a network and a service do.
"""

import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .log_service_rules import BATCH_RECORDS, SENT_BYTES, Record, envelope, inflated, key, matches, record_error

HTML = b"<html><body>Your instance is sleeping</body></html>"

type Connection = socket.socket | tuple[bytes, socket.socket]


@dataclass(frozen=True)
class Fault:
    """One answer that is not the usual one; `drop` closes the connection without an answer, `after` committing."""

    status: int = 0
    retry_after: str = ""
    html: bool = False
    drop: str = ""
    code: str = "Unavailable"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass
class LogServiceServer:
    """`with LogServiceServer() as server:` serves `server.url`; with credentials, signatures are checked."""

    credentials: Credentials | None = None
    region: str = "eu-west-1"
    prefix: str = ""
    faults: deque[Fault] = field(default_factory=deque)
    rejects: dict[str, str] = field(default_factory=dict)  # message -> error, for ever
    busy: dict[str, int] = field(default_factory=dict)  # message -> how often it is refused as retryable
    stored: dict[str, Record] = field(default_factory=dict)
    writes: int = 0
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.changed = threading.Condition()
        self._actions: dict[int, Callable[[], None]] = {}
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    @property
    def messages(self) -> list[str]:
        """The messages in the order of their instants."""
        return [record["message"] for record in self.in_order()]

    def in_order(self) -> list[Record]:
        return sorted(self.stored.values(), key=lambda record: (record["timestamp"], record["log_id"]))

    def put(self, *records: Record) -> None:
        """Store records as if somebody had sent them."""
        with self.changed:
            for record in records:
                self.writes += 1
                self.stored[record["timestamp"] + record["log_id"] + record["message"]] = record
            self.changed.notify_all()

    def when(self, request: int, action: Callable[[], None]) -> None:
        """Do something before the request of this number, counted from 1, is answered."""
        self._actions[request] = action

    def act(self, request: int) -> None:
        """Do what was to be done before this request."""
        self._actions.pop(request, lambda: None)()

    def signature_error(self, seen: Seen) -> str:
        """Why the request is not from one who knows the credentials; empty when it is."""
        if self.credentials is None:
            return ""
        given = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
            r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
            seen.headers.get("authorization", ""),
        )
        if given is None:
            return "Missing Authentication Token"
        if (given[1], given[3], given[4]) != (self.credentials.access_key, self.region, "execute-api"):
            return "Credential should be scoped to a valid region and service"
        signed = {name: seen.headers[name] for name in given[5].split(";")}
        request = AWSRequest(seen.method, self._origin + seen.target, signed, seen.body)
        request.context["timestamp"] = seen.headers["x-amz-date"]
        auth = SigV4Auth(self.credentials, given[4], given[3])
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        return "" if expected == given[6] else "The request signature we calculated does not match"

    @property
    def _origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], fake: LogServiceServer) -> None:
        self.fake = fake
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Connection, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Connection) -> None:
        assert isinstance(request, socket.socket)
        self.open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        super().server_close()

    def handle_error(self, request: Connection, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Tests read answers, not logs."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        fake = self.server.fake
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, body, self.client_address[1])
        fake.seen.append(seen)
        fake.act(len(fake.seen))
        fault = fake.faults.popleft() if fake.faults else Fault()
        if fault.drop == "before":
            self._drop()
        elif fault.status:
            self._fail(fault)
        elif error := fake.signature_error(seen):
            self._answer(403, envelope(error, "Forbidden"))
        else:
            self._route(seen, fault)

    def _route(self, seen: Seen, fault: Fault) -> None:
        parts = urlsplit(seen.target)
        path = parts.path.removeprefix(self.server.fake.prefix)
        routes = {"/logs/batch": self._batch, "/logs/recent": self._recent, "/logs/tail": self._tail}
        routes["/services"] = self._services
        status, answer = (
            routes[path](seen, parse_qs(parts.query)) if path in routes else (404, envelope("No route", "NotFound"))
        )
        if fault.drop:
            self._drop()
        else:
            self._answer(status, answer)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _fail(self, fault: Fault) -> None:
        raw = HTML if fault.html else json.dumps(envelope("Told to fail", fault.code)).encode()
        kind = "text/html" if fault.html else "application/json"
        extra = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        self._raw(fault.status, raw, {"Content-Type": kind, **extra})

    def _answer(self, status: int, body: Record) -> None:
        self._raw(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _raw(self, status: int, raw: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(raw)), "X-Request-Id": "req-1"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def _batch(self, seen: Seen, _query: Mapping[str, list[str]]) -> tuple[int, Record]:
        raw = inflated(seen.body)
        if len(seen.body) > SENT_BYTES or raw is None:
            return 413, envelope("The body is too large", "PayloadTooLarge")
        try:
            logs = json.loads(raw)["logs"]
        except (ValueError, KeyError, TypeError):
            return 400, envelope("The body is not a batch", "BadRequest")
        if not 1 <= len(logs) <= BATCH_RECORDS:
            return 400, envelope("A batch has 1 to 1000 records", "ValidationFailed")
        results = [self._result(index, record) for index, record in enumerate(logs)]
        counts = {name: sum(result["status"] == name for result in results) for name in ("duplicate", "rejected")}
        answer = {"accepted": len(logs) - sum(counts.values()), **counts, "results": results}
        if counts["rejected"] == len(logs):
            return 400, {**envelope("Every record is bad", "ValidationFailed"), **answer}
        return 200, answer

    def _result(self, index: int, record: Record) -> Record:
        fake = self.server.fake
        message = record.get("message")
        if isinstance(message, str) and fake.busy.get(message, 0) > 0:
            fake.busy[message] -= 1
            return {"index": index, "status": "rejected", "error": "Too many writes.", "retryable": True}
        error = fake.rejects.get(str(message), "") or record_error(record)
        if error:
            return {"index": index, "status": "rejected", "error": error, "retryable": False}
        fake.put(record)
        return {"index": index, "status": "stored", "log_id": record["log_id"]}

    def _recent(self, _seen: Seen, query: Mapping[str, list[str]]) -> tuple[int, Record]:
        if "hours" in query and "since" in query:
            return 400, envelope("hours excludes since", "ValidationFailed", [("hours", "not with since")])
        matching = [record for record in reversed(self.server.fake.in_order()) if matches(record, query)]
        before = query.get("cursor", [""])[0]
        rest = [record for record in matching if not before or key(record) < before]
        page = rest[: int(query.get("limit", ["100"])[0])]
        cursor = key(page[-1]) if len(rest) > len(page) else None
        return 200, {"count": len(page), "logs": page, "nextCursor": cursor}

    def _tail(self, _seen: Seen, query: Mapping[str, list[str]]) -> tuple[int, Record]:
        fake = self.server.fake
        with fake.changed:
            start = int(query["cursor"][0]) if "cursor" in query else len(fake.stored)
            if float(query.get("wait", ["0"])[0]):
                fake.changed.wait_for(lambda: len(fake.stored) > start, timeout=5)
            fresh = list(fake.stored.values())[start:]
        logs = [record for record in fresh if matches(record, query)]
        return 200, {"count": len(logs), "logs": logs, "nextCursor": str(start + len(fresh))}

    def _services(self, _seen: Seen, _query: Mapping[str, list[str]]) -> tuple[int, Record]:
        names = sorted({record["service_name"] for record in self.server.fake.stored.values()})
        return 200, {"services": [{"service_name": name} for name in names], "count": len(names)}
