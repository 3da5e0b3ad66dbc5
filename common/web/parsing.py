"""What comes in: query parameters and bodies, bounded, checked against a pydantic model, every fault named."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalice.app import MultiDict, Request
from pydantic import BaseModel, ValidationError

from common.errors import BadRequest, Detail, PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from common.web.hostile import explain_json, printable

GZIP_MAGIC = b"\x1f\x8b"
MOST_DETAILS = 20
MOST_GZIP_MEMBERS = 256
KIB = 1024
SIGNED_IN_QUERY = frozenset(
    f"X-Amz-{name}"
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token")
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many bytes a body may have, as sent and after inflation."""

    sent: int
    inflated: int


def query_of[M: BaseModel](model: type[M], request: Request) -> M:
    """The query parameters as a model; a parameter that is unknown, empty or wrongly repeated is 400 and named.

    Those of a presigned URL are the gateway's to judge.
    """
    given = request.query_params or MultiDict({})
    values: dict[str, Any] = {}
    for name in given:
        if name in SIGNED_IN_QUERY:
            continue
        many = given.getlist(name)
        problem = _parameter_problem(model, name, many)
        if problem:
            raise ValidationFailed.of(printable(name) or "query", problem)
        values[name] = many if _takes_many(model, name) else many[0]
    return validated(model, values, depth=1)


def _parameter_problem(model: type[BaseModel], name: str, values: list[str]) -> str | None:
    if name not in model.model_fields:
        return f"is unknown here; known are {', '.join(model.model_fields) or 'none'}"
    if "" in values:
        return "is empty; leave it out or give a value"
    if len(values) > 1 and not _takes_many(model, name):
        return "is given more than once"
    return None


def _takes_many(model: type[BaseModel], name: str) -> bool:
    return getattr(model.model_fields[name].annotation, "__origin__", None) in {tuple, list}


def validated[M: BaseModel](model: type[M], values: Mapping[str, Any], depth: int | None = None) -> M:
    """A model from Python values; raises ValidationFailed, which names fields to this depth of their paths."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise failure(error, depth) from None


def body_of(request: Request, limits: Limits) -> bytes:
    """The body's bytes, inflated when gzip (known by its first bytes or by Content-Encoding), within the limits."""
    raw = request.raw_body
    sent = raw.encode() if isinstance(raw, str) else raw
    if len(sent) > limits.sent:
        raise _too_large(limits.sent, "")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        raise UnsupportedMediaType("The Content-Encoding is not taken here; send gzip or none.")
    if sent.startswith(GZIP_MAGIC):
        return _inflated(sent, limits.inflated)
    if encoding in {"gzip", "x-gzip"}:
        raise BadRequest("The body is not gzip although Content-Encoding says so.")
    if len(sent) > limits.inflated:
        raise _too_large(limits.inflated, "")
    return sent


def _inflated(data: bytes, most: int) -> bytes:
    parts: list[bytes] = []
    room = most
    for _ in range(MOST_GZIP_MEMBERS):
        stream = zlib.decompressobj(wbits=31)
        try:
            part = stream.decompress(data, room + 1)
        except zlib.error:
            raise BadRequest("The body is not valid gzip.") from None
        room -= len(part)
        if room < 0:
            raise _too_large(most, " after inflation")
        if not stream.eof:
            raise BadRequest("The gzip body is cut short.")
        parts.append(part)
        data = stream.unused_data
        if not data:
            return b"".join(parts)
    raise BadRequest("The gzip body has too many members.")


def _too_large(most: int, when: str) -> PayloadTooLarge:
    size = f"{most // (KIB * KIB)} MiB" if most % (KIB * KIB) == 0 else f"{most // KIB} KiB"
    return PayloadTooLarge(f"The body is over {size}{when}.")


def json_body[M: BaseModel](model: type[M], request: Request, limits: Limits) -> M:
    """The JSON body as a model; raises BadRequest for what is no JSON and ValidationFailed for wrong fields."""
    raw = body_of(request, limits)
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False, include_context=False)[0]["type"] == "json_invalid":
            raise explain_json(raw) from None
        raise failure(error) from None


def failure(error: ValidationError, depth: int | None = None) -> ValidationFailed:
    """Our error from pydantic's: which field (to this depth of its path), and why, without echoing the value."""
    details = [
        Detail(field_name(fault["loc"][:depth]), fault["msg"].removeprefix("Value error, "))
        for fault in error.errors(include_url=False, include_input=False, include_context=False)[:MOST_DETAILS]
    ]
    return ValidationFailed("; ".join(f"{field}: {message}" for field, message in details[:3]), details=details)


def field_name(location: tuple[int | str, ...]) -> str:
    """`metadata.a.0` from pydantic's location; `body` when the whole is meant. Always printable."""
    return ".".join(printable(part) for part in location)[:200] or "body"
