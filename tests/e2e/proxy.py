"""Stands between an application and the engine and counts what queries evaluate."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import override
from urllib.parse import urlsplit


class Counting(ThreadingHTTPServer):
    """Passes every request on, signed host and all."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = urlsplit(behind).netloc
        self.evaluated = 0
        self.queries = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def reset(self) -> None:
        self.evaluated = self.queries = 0


class Passing(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Counting

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        connection = HTTPConnection(self.server.behind, timeout=30)
        connection.request("POST", self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        given = answer.read()
        connection.close()
        if self.headers.get("X-Amz-Target", "").endswith(".Query"):
            self.server.queries += 1
            self.server.evaluated += json.loads(given).get("ScannedCount", 0)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(given)))
        self.end_headers()
        self.wfile.write(given)

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def counting(behind: str) -> Iterator[Counting]:
    """A proxy that runs while inside."""
    proxy = Counting(behind)
    Thread(target=proxy.serve_forever, daemon=True).start()
    yield proxy
    proxy.shutdown()
    proxy.server_close()
