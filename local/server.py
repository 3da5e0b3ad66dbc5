"""Serves one application on a port as `chalice local` does, without its stalls and dropped connections."""

import argparse
import contextlib
import logging
import os
import select
import signal
import socket
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any, override

from local import bodies
from local.applications import load
from local.envelopes import Answer, Refused, bad_request, internal_error, uri_too_long
from local.gateway import Gateway, Request
from local.parent import stop_with_parent
from local.settings import HOST
from local.waiting import until

URL_LIMIT = 8192
DRAIN_BYTES = 64 * 1024 * 1024
DRAIN_SECONDS = 2.0
IDLE_SECONDS = 75.0
POLL_SECONDS = 0.1
FINISH_SECONDS = 2.0
BODILESS = frozenset({204, 304})

logger = logging.getLogger("server")


class Handler(BaseHTTPRequestHandler):
    """Reads a request, lets the gateway answer, writes the answer in one piece."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.1"  # an unreadable request gets headers too
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS
    server: "Server"
    busy = False

    @override
    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self)

    @override
    def finish(self) -> None:
        self.server.connections.discard(self)
        super().finish()

    @override
    def handle_one_request(self) -> None:
        super().handle_one_request()
        self.busy = False

    @override
    def parse_request(self) -> bool:
        self.busy = True
        return super().parse_request()

    def engaged(self) -> bool:
        """Whether a request is being answered, or has arrived and waits to be read."""
        return self.busy or bool(select.select([self.connection], [], [], 0)[0])

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # the base class looks for do_<METHOD>
        """Every method, known or not, is the gateway's to judge."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    @override
    def handle_expect_100(self) -> bool:
        """Judge the length before the client sends its body."""
        return True

    @override
    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The base class refuses what is not HTTP; say it in the envelope."""
        self._began, self._request_id = monotonic(), str(uuid.uuid4())
        refusals = {414: uri_too_long(), 431: Refused(431, "HeadersTooLarge", "The headers are too large.", close=True)}
        self._refuse(refusals.get(code) or bad_request("The request is not HTTP/1.1.", close=True))

    @override
    def log_message(self, *_: object) -> None:
        """One line per request is written when it is answered."""

    def _serve(self) -> None:
        self._began, self._request_id = monotonic(), str(uuid.uuid4())
        try:
            self._write(self.server.gateway.answer(self._read()))
        except Refused as refused:
            self._refuse(refused)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception:
            logger.exception("request %s failed", self._request_id)
            self._refuse(internal_error())

    def _read(self) -> Request:
        if len(self.path) > URL_LIMIT:
            raise uri_too_long()
        size = bodies.length(self.headers)
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        body = bodies.read(self.rfile, size)  # type: ignore[arg-type]  # a BufferedReader
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        return Request(self.command, self._target(), headers, body, self.client_address[0], self._request_id)

    def _target(self) -> str:
        """The path and query, also of a request that names the whole URL."""
        if self.path.startswith("/"):
            return self.path
        scheme, separator, rest = self.path.partition("://")
        if scheme.lower() not in {"http", "https"} or not separator:
            raise bad_request("The request's target must be a path.")
        _, slash, path = rest.partition("/")
        return slash + path if slash else "/"

    def _refuse(self, refused: Refused) -> None:
        if refused.close:
            self.close_connection = True
        self._write(refused.answer(self._request_id))
        if refused.close:
            self._drain()

    def _write(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        for name, value in self._headers(answer).items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name, one)
        self.end_headers()
        if self.command != "HEAD" and answer.status not in BODILESS:
            self.wfile.write(answer.body)
        self.wfile.flush()
        self._access_line(answer.status)

    def _headers(self, answer: Answer) -> dict[str, str | list[str]]:
        headers = dict(answer.headers)
        if answer.status not in BODILESS:
            headers = {"Content-Type": "application/json"} | headers | {"Content-Length": str(len(answer.body))}
        if self.close_connection:
            headers["Connection"] = "close"
        return headers

    def _access_line(self, status: int) -> None:
        what = f"{self.command or '-'} {(getattr(self, 'path', None) or '-').partition('?')[0][:100]}"
        took = (monotonic() - self._began) * 1000
        sys.stdout.write(f"{ascii(what)[1:-1]} {status} {took:.1f} ms {self._request_id}\n")
        sys.stdout.flush()

    def _drain(self) -> None:
        """Take what the client still sends for a moment: closing on it would lose the answer."""
        deadline, left = monotonic() + DRAIN_SECONDS, DRAIN_BYTES
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(DRAIN_SECONDS)
        try:
            while left > 0 and monotonic() < deadline and (taken := self.connection.recv(65536)):
                left -= len(taken)
        except OSError:
            return


class Server(ThreadingHTTPServer):
    """A thread per connection, a backlog that bursts fit in."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, listening: socket.socket, gateway: "Gateway | Broken") -> None:
        super().__init__((HOST, 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_address = listening.getsockname()
        self.gateway = gateway
        self.connections: set[Handler] = set()

    def serve_until_terminated(self) -> None:
        """Serve until SIGTERM; requests that have arrived are answered, within a moment."""
        signal.signal(signal.SIGTERM, lambda *_: Thread(target=self.shutdown).start())
        self.serve_forever(POLL_SECONDS)
        with contextlib.suppress(TimeoutError):
            until(lambda: not any(handler.engaged() for handler in list(self.connections)), FINISH_SECONDS, "requests")
        os._exit(0)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left early is nobody's error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed through


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback interface; port 0 takes a free one."""
    return socket.create_server((HOST, port), backlog=Server.request_queue_size)


class Broken:
    """Stands for an application that cannot be loaded, until its code changes."""

    def answer(self, _request: Request) -> Answer:
        """Say so; the reason is in the log."""
        raise Refused(503, "Unavailable", "The application cannot be loaded; its log says why.")


def open_gateway(project: Path) -> Gateway | Broken:
    """The gateway of the application, or what stands for it while its code is broken."""
    try:
        return Gateway(load(project))
    except Exception:
        logger.exception("%s cannot be loaded", project.name)
        return Broken()


def main() -> None:
    """`python -m local.server PROJECT (--port N | --socket FD)`: the supervisor keeps the socket over restarts."""
    parser = argparse.ArgumentParser(prog="python -m local.server")
    parser.add_argument("project", type=Path)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", type=int)
    where.add_argument("--socket", type=int, metavar="FD")
    given = parser.parse_args()
    stop_with_parent()
    listening = listen(given.port) if given.socket is None else socket.socket(fileno=given.socket)
    Server(listening, open_gateway(given.project.resolve())).serve_until_terminated()


if __name__ == "__main__":
    main()
