"""The `Idempotency-Key` header: from a request to a demand, from a kept answer to a reply."""

import hashlib
from collections.abc import Callable

from chalice.app import Request, Response

from common.errors import ValidationFailed
from common.idempotency import REPLAYED, Answer, Demand, Idempotency
from common.web.replies import reply

HEADER = "Idempotency-Key"
LONGEST_KEY = 255


def demand_of(request: Request, caller: str) -> Demand | None:
    """What the header asks for; None without it. Raises ValidationFailed for a key that is empty, long, unprintable."""
    key = request.headers.get(HEADER.lower())
    if key is None:
        return None
    if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise ValidationFailed.of(HEADER, f"must be 1 to {LONGEST_KEY} printable ASCII characters")
    raw = request.raw_body
    body = raw.encode() if isinstance(raw, str) else raw
    kind = request.headers.get("content-type", "")
    return Demand(caller, request.path, key, hashlib.sha256(kind.encode() + b"\x00" + body).hexdigest())


def once(
    request: Request, kept: Callable[[], Idempotency], demand: Demand | None, work: Callable[[], Answer]
) -> Response:
    """Do the work, once per key where there is a key, and reply."""
    answer = work() if demand is None else kept().once(demand, work, request.lambda_context)
    headers = {"Content-Type": answer.media_type, **({REPLAYED: "true"} if answer.replayed else {})}
    return reply(answer.body, answer.status, headers)
