"""OTLP logs (https://opentelemetry.io/docs/specs/otlp/) as records, and the answers in the sender's own encoding.

Imported on the first OTLP request: protobuf's modules are not needed by anything else.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from pydantic_core import from_json

from common.clock import rfc3339
from common.errors import BadRequest, ValidationFailed
from common.web.hostile import explain_json

from ..domain import Level
from .incoming import MOST_RECORDS, Fault, LogIn, judged

PROTOBUF = "application/x-protobuf"
NO_SERVICE = "unknown_service"
NO_BODY = "(no body)"
RECORD_UID = "log.record.uid"
SEVERITIES_PER_LEVEL = 4
LAST_US = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z
MOST_REASONS = 3
MOST_JSON_OBJECTS = 200_000
OBJECTS = frozenset({"resource", "scope", "body", "value", "arrayValue", "kvlistValue"})
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.:/-]")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
WORDS = {
    "trace": Level.TRACE,
    "debug": Level.DEBUG,
    "info": Level.INFO,
    "information": Level.INFO,
    "notice": Level.INFO,
    "warn": Level.WARN,
    "warning": Level.WARN,
    "error": Level.ERROR,
    "err": Level.ERROR,
    "critical": Level.FATAL,
    "fatal": Level.FATAL,
    "emergency": Level.FATAL,
}


def read(raw: bytes, media: str) -> list[LogIn | Fault]:
    """The records of an ExportLogsServiceRequest, each judged alone.

    Raises BadRequest when it is none, ValidationFailed when it holds too many.
    """
    request = _from_protobuf(raw) if media == PROTOBUF else _from_json(raw)
    if (
        sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
        > MOST_RECORDS
    ):
        raise ValidationFailed.of("logRecords", f"must be at most {MOST_RECORDS}")
    return [judged(record) for resource in request.resource_logs for record in _of_resource(resource)]


def answer(reasons: Sequence[str], media: str) -> bytes:
    """An ExportLogsServiceResponse in the encoding of the request; `partialSuccess` only when records were rejected."""
    response = ExportLogsServiceResponse()
    if reasons:
        response.partial_success.rejected_log_records = len(reasons)
        response.partial_success.error_message = "; ".join(list(dict.fromkeys(reasons))[:MOST_REASONS])
    if media == PROTOBUF:
        return response.SerializeToString()
    return json_format.MessageToJson(response, indent=None).encode()


def _from_protobuf(raw: bytes) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    try:
        request.ParseFromString(raw)
    except DecodeError:
        raise BadRequest("The body is not an ExportLogsServiceRequest in protobuf.") from None
    return request


def _from_json(raw: bytes) -> ExportLogsServiceRequest:
    if raw.count(b"{") > MOST_JSON_OBJECTS:
        raise BadRequest("The body holds more objects than an ExportLogsServiceRequest needs.")
    try:
        body = from_json(raw, allow_inf_nan=False)
    except ValueError:
        raise explain_json(raw) from None
    if not isinstance(body, dict):
        raise BadRequest("The body is not an ExportLogsServiceRequest in JSON.")
    try:
        return json_format.ParseDict(
            _ids_in_base64(_typed(body)), ExportLogsServiceRequest(), ignore_unknown_fields=True
        )
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError):
        raise BadRequest("The body is not an ExportLogsServiceRequest in JSON.") from None


def _typed(body: dict[str, Any]) -> dict[str, Any]:
    """The body, with objects where OTLP has them: protobuf takes a text there for an object without known fields."""
    left: list[Any] = [body]
    while left:
        part = left.pop()
        if isinstance(part, list):
            left += part
        elif isinstance(part, dict):
            if not all(isinstance(part[name], dict | None) for name in OBJECTS & part.keys()):
                raise ValueError
            left += part.values()
    return body


def _ids_in_base64(body: dict[str, Any]) -> dict[str, Any]:
    """OTLP writes trace and span ids in hex where protobuf's own JSON has base64."""
    for record in _dicts(_dicts(_dicts([body], "resourceLogs"), "scopeLogs"), "logRecords"):
        for name in ("traceId", "spanId"):
            if isinstance(record.get(name), str):
                record[name] = _base64_of_hex(record[name])
    return body


def _dicts(parents: Iterable[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    for parent in parents:
        children = parent.get(name)
        yield from (child for child in children if isinstance(child, dict)) if isinstance(children, list) else ()


def _base64_of_hex(text: str) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(text)).decode()
    except (binascii.Error, ValueError):
        raise BadRequest("A traceId or spanId is not hexadecimal.") from None


def _of_resource(resource: ResourceLogs) -> Iterator[dict[str, Any]]:
    attributes = _attributes(resource.resource.attributes)
    named = str(attributes.get("service.name") or NO_SERVICE)
    service = NOT_IN_A_NAME.sub("_", named).lstrip("_.:/-")[:128] or NO_SERVICE
    for scope in resource.scope_logs:
        for record in scope.log_records:
            yield _record(record, service, {"resource": attributes, "scope": _scope(scope)})


def _scope(scope: ScopeLogs) -> dict[str, Any]:
    about = {"name": scope.scope.name, "version": scope.scope.version}
    return {**about, "attributes": _attributes(scope.scope.attributes)} if any(about.values()) else {}


def _record(record: LogRecord, service: str, origin: dict[str, Any]) -> dict[str, Any]:
    attributes = _attributes(record.attributes)
    body = _value(record.body)
    said = {**origin, "attributes": attributes, **_details(record)}
    metadata = {name: value for name, value in said.items() if value not in ({}, "", 0)}
    if body is not None and not isinstance(body, str):
        metadata["body"] = body
    made: dict[str, Any] = {
        "service_name": service,
        "log_type": "application",
        "level": _level(record).name,
        "message": _message(record, body),
        "metadata": metadata,
    }
    nanos = record.time_unix_nano or record.observed_time_unix_nano
    if nanos:
        made["timestamp"] = rfc3339(min(nanos // 1000, LAST_US))
    uid = attributes.get(RECORD_UID)
    if isinstance(uid, str) and UUID.fullmatch(uid):
        made["log_id"] = uid
    return made


def _details(record: LogRecord) -> dict[str, Any]:
    return {
        "severity_number": record.severity_number,
        "severity_text": record.severity_text,
        "trace_id": record.trace_id.hex(),
        "span_id": record.span_id.hex(),
        "flags": record.flags,
        "event_name": record.event_name,
        "time_unix_nano": str(record.time_unix_nano) if record.time_unix_nano % 1000 else "",
        "observed_time_unix_nano": str(record.observed_time_unix_nano) if record.observed_time_unix_nano else "",
        "dropped_attributes_count": record.dropped_attributes_count,
    }


def _message(record: LogRecord, body: Any) -> str:  # noqa: ANN401  # any AnyValue
    if isinstance(body, str) and body:
        return body
    if body is None or body == "":
        return record.event_name or NO_BODY
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _level(record: LogRecord) -> Level:
    number = int(record.severity_number)
    if 1 <= number <= SEVERITIES_PER_LEVEL * len(Level):
        return Level((number - 1) // SEVERITIES_PER_LEVEL * SEVERITIES_PER_LEVEL + 1)
    return WORDS.get(record.severity_text.strip().lower(), Level.INFO)


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:  # noqa: ANN401  # any JSON
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "array_value":
            return [_value(part) for part in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "double_value" if not math.isfinite(value.double_value):
            return str(value.double_value)
        case _:
            return getattr(value, kind)
