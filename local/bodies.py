"""Reads a request's body from the connection: by length or in chunks, never more than API Gateway takes."""

import re
from email.message import Message
from typing import BinaryIO

from local.envelopes import bad_request, too_large

LIMIT = 10 * 1024 * 1024
CHUNK_LINE = 1024
SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")


def length(headers: Message) -> int | None:
    """The announced length in bytes, 0 without a body, None for a chunked one.

    Raises:
        Refused: The headers contradict each other (a smuggled request), or the body is too large.
    """
    lengths, encodings = headers.get_all("Content-Length", []), headers.get_all("Transfer-Encoding", [])
    if encodings:
        if lengths or [value.strip().lower() for value in encodings] != ["chunked"]:
            raise bad_request("Transfer-Encoding must be chunked and stand alone.", close=True)
        return None
    if not lengths:
        return 0
    if len(set(lengths)) > 1 or not (lengths[0].isascii() and lengths[0].isdecimal()):
        raise bad_request("Content-Length must be one number.", close=True)
    if len(lengths[0]) > len(str(LIMIT)) or int(lengths[0]) > LIMIT:
        raise too_large()
    return int(lengths[0])


def read(stream: BinaryIO, size: int | None) -> bytes:
    """The whole body; `size` as `length` returned it.

    Raises:
        Refused: The body ends early, its chunks are malformed, or it is too large.
    """
    return _chunks(stream) if size is None else _exactly(stream, size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    body = stream.read(size) if size else b""
    if len(body) < size:
        raise bad_request("The body is shorter than announced.", close=True)
    return body


def _chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while size := _chunk_size(stream):
        if len(body) + size > LIMIT:
            raise too_large()
        body += _exactly(stream, size)
        if _exactly(stream, 2) != b"\r\n":
            raise bad_request("A chunk of the body is malformed.", close=True)
    _trailers(stream)
    return bytes(body)


def _chunk_size(stream: BinaryIO) -> int:
    size = stream.readline(CHUNK_LINE).partition(b";")[0].strip()
    if not SIZE.fullmatch(size):
        raise bad_request("A chunk of the body is malformed.", close=True)
    return int(size, 16)


def _trailers(stream: BinaryIO) -> None:
    """Read past what may follow the last chunk."""
    for _ in range(CHUNK_LINE):
        if stream.readline(CHUNK_LINE) in {b"\r\n", b"\n", b""}:
            return
    raise bad_request("Too many trailers follow the body.", close=True)
