"""One signed HTTP exchange over connections that are kept open; safe to share between threads and across fork."""

import os
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from .answers import Answer
from .errors import Unavailable
from .options import Options
from .signing import Signs

IDLE_CONNECTIONS = 4
ANSWER_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `target` is path and query, `wait` the seconds for which the service may hold it back."""

    method: str
    target: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0


class Endpoint:
    """Where log_service is: `http(s)://host[:port][/stage]`. ValueError for anything else."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise ValueError(f"endpoint {url!r} must be an http:// or https:// address, such as http://127.0.0.1:8002")
        self.url = url.rstrip("/")
        self.prefix = parts.path.rstrip("/")
        self._place = (parts.hostname, parts.port)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None

    def connection(self, timeout: float) -> HTTPConnection:
        """A connection not opened yet; `timeout` in seconds is for opening it."""
        if self._tls:
            return HTTPSConnection(*self._place, timeout=timeout, context=self._tls)
        return HTTPConnection(*self._place, timeout=timeout)


class Transport:
    """Exchanges a call for an answer; every failure to do so is Unavailable."""

    def __init__(self, endpoint: str, signer: Signs, options: Options) -> None:
        self.endpoint = Endpoint(endpoint)
        self._signer = signer
        self._options = options
        self._idle: deque[HTTPConnection] = deque()
        self._process = os.getpid()

    def exchange(self, call: Call, within: float) -> Answer:
        """One attempt, which takes at most `within` seconds and at most the options' time-out plus the call's wait."""
        ends = self._options.monotonic() + min(within, self._options.timeout + call.wait)
        try:
            return self._attempt(call, ends)
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(
                f"{self.endpoint.url} shows a certificate we do not trust: {error}", passing=False
            ) from error
        except (OSError, HTTPException) as error:
            raise Unavailable(f"no answer from {self.endpoint.url}: {_told(error)}") from error

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop().close()

    def _attempt(self, call: Call, ends: float) -> Answer:
        kept = self._kept()
        if kept is not None:
            try:
                return self._over(kept, call, ends)
            except ConnectionError:  # the far side closed it meanwhile: that is no failure of this call
                kept.close()
        left = max(0.001, ends - self._options.monotonic())
        return self._over(self.endpoint.connection(min(left, self._options.connect_timeout)), call, ends)

    def _kept(self) -> HTTPConnection | None:
        if self._process != os.getpid():  # the parent's connections are the parent's
            self._idle = deque()
            self._process = os.getpid()
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _over(self, connection: HTTPConnection, call: Call, ends: float) -> Answer:
        try:
            return self._spoken(connection, call, ends)
        except BaseException:
            connection.close()
            raise

    def _spoken(self, connection: HTTPConnection, call: Call, ends: float) -> Answer:
        url = self.endpoint.url + call.target
        headers = self._signer.signed(call.method, url, call.headers, call.body)
        if connection.sock is None:
            connection.connect()
        self._hurry(connection, ends)
        connection.request(call.method, self.endpoint.prefix + call.target, call.body or None, headers)
        response = connection.getresponse()
        raw = self._read(connection, response, ends)
        self._keep(connection, response)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, raw)

    def _keep(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        if response.will_close or len(self._idle) >= IDLE_CONNECTIONS:
            connection.close()
        else:
            self._idle.append(connection)

    def _read(self, connection: HTTPConnection, response: HTTPResponse, ends: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > ANSWER_BYTES:
                raise HTTPException(f"the answer is larger than {ANSWER_BYTES} bytes")
            self._hurry(connection, ends)
        if response.length:
            raise HTTPException(f"the answer ended {response.length} bytes early")
        return b"".join(chunks)

    def _hurry(self, connection: HTTPConnection, ends: float) -> None:
        left = ends - self._options.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if connection.sock is not None:
            connection.sock.settimeout(left)


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__
