"""Where a page goes on: an opaque text that is checked when it comes back.

A cursor holds a position and a fingerprint of the filters it was made with, sealed with a keyed digest. The key is
not a secret: a cursor gives no right, it only says where in a caller's own question to go on. The seal is there so that
a cursor that was cut, altered or made for another question is refused (400) and not answered with nonsense.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from common.errors import ValidationFailed

DIGEST_BYTES = 12
FIELD = "cursor"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position within the answer to one question."""

    kind: str
    position: str
    filters: str
    bounds: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class CursorSeal:
    """Makes and checks the cursors of one application in one stage."""

    key: str

    def close(self, cursor: Cursor) -> str:
        """The opaque text."""
        payload = orjson.dumps([cursor.kind, cursor.position, cursor.filters, *cursor.bounds])
        return base64.urlsafe_b64encode(self._digest(payload) + payload).rstrip(b"=").decode()

    def open(self, text: str) -> Cursor:
        """The cursor behind a text; raises ValidationFailed for anything this seal did not close."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _refused() from None
        seal, payload = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:]
        if seal != self._digest(payload) or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
            raise _refused()
        return _read(payload)

    def _digest(self, payload: bytes) -> bytes:
        return hashlib.blake2b(payload, digest_size=DIGEST_BYTES, key=self.key.encode()[:64]).digest()


def _read(payload: bytes) -> Cursor:
    """The seal's key is no secret, so a payload may be anybody's."""
    try:
        match orjson.loads(payload):
            case [str(kind), str(position), str(filters), int(start), int(end)]:
                return Cursor(kind, position, filters, (start, end))
    except ValueError:
        pass
    raise _refused()


def fingerprint(filters: Any) -> str:  # noqa: ANN401  # any JSON
    """A short digest of what a question asked."""
    return hashlib.blake2b(orjson.dumps(filters, option=orjson.OPT_SORT_KEYS), digest_size=9).hexdigest()


def _refused() -> ValidationFailed:
    return ValidationFailed.of(FIELD, "this is not a cursor of this service; take nextCursor as it was given")
