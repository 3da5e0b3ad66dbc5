"""OTLP as records: both encodings alike, every kind of value, hostile senders."""

import base64
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from common.errors import BadRequest
from log_service.chalicelib.domain import Level, parse_instant
from log_service.chalicelib.schemas import Fault, LogIn, otlp
from tests.fakes.clock import NOON

JSON, PROTOBUF = "application/json", "application/x-protobuf"
NANOS = NOON * 1000
TEXT = AnyValue(string_value="taken")
VALUES: dict[str, tuple[AnyValue, object]] = {
    "text": (AnyValue(string_value="é"), "é"),
    "empty text": (AnyValue(string_value=""), ""),
    "true": (AnyValue(bool_value=True), True),
    "false": (AnyValue(bool_value=False), False),
    "largest integer": (AnyValue(int_value=2**63 - 1), 2**63 - 1),
    "smallest integer": (AnyValue(int_value=-(2**63)), -(2**63)),
    "zero": (AnyValue(int_value=0), 0),
    "double": (AnyValue(double_value=0.1), 0.1),
    "bytes": (AnyValue(bytes_value=b"\x00\xff"), base64.b64encode(b"\x00\xff").decode()),
    "nothing": (AnyValue(), None),
    "list": (AnyValue(array_value=ArrayValue(values=[TEXT, AnyValue()])), ["taken", None]),
    "map": (AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=TEXT)])), {"k": "taken"}),
    "not a number": (AnyValue(double_value=float("nan")), "nan"),
    "infinity": (AnyValue(double_value=float("-inf")), "-inf"),
}


def a_request(*records: LogRecord, service: object = "payments") -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    if isinstance(service, str):
        resource.resource.attributes.add(key="service.name").value.string_value = service
    resource.scope_logs.add().log_records.extend(records or [LogRecord(body=TEXT, time_unix_nano=NANOS)])
    return request


def in_json(request: ExportLogsServiceRequest) -> bytes:
    """As OTLP has it: trace and span ids in hex."""
    body = json_format.MessageToDict(request)
    for record in body["resourceLogs"][0]["scopeLogs"][0].get("logRecords", ()):
        for name in {"traceId", "spanId"} & record.keys():
            record[name] = base64.b64decode(record[name]).hex()
    return json.dumps(body).encode()


def read(request: ExportLogsServiceRequest) -> list[LogIn | Fault]:
    """Through both encodings, which must agree."""
    from_protobuf = otlp.read(request.SerializeToString(), PROTOBUF)
    assert otlp.read(in_json(request), JSON) == from_protobuf
    return from_protobuf


def one(request: ExportLogsServiceRequest) -> LogIn:
    (entry,) = read(request)
    assert isinstance(entry, LogIn)
    return entry


def metadata(entry: LogIn) -> dict[str, Any]:
    return dict(json.loads(entry.metadata))


def test_a_record_keeps_all_that_otlp_says() -> None:
    record = LogRecord(
        time_unix_nano=NANOS + 1,
        observed_time_unix_nano=NANOS + 2,
        severity_number=SeverityNumber.SEVERITY_NUMBER_ERROR,
        severity_text="ERROR",
        body=TEXT,
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        flags=1,
        dropped_attributes_count=3,
        attributes=[KeyValue(key="order", value=AnyValue(int_value=1017))],
    )

    entry = one(a_request(record))

    assert (entry.service_name, entry.level, entry.message) == ("payments", Level.ERROR, "taken")
    assert entry.timestamp == NOON
    kept = metadata(entry)
    assert kept["attributes"] == {"order": 1017}
    assert kept["resource"] == {"service.name": "payments"}
    assert (kept["trace_id"], kept["span_id"]) == (bytes(range(16)).hex(), bytes(range(8)).hex())
    assert kept["time_unix_nano"] == str(NANOS + 1)


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_every_kind_of_value_is_kept_in_attributes(value: AnyValue, expected: object) -> None:
    entry = one(a_request(LogRecord(body=TEXT, attributes=[KeyValue(key="a", value=value)])))

    assert metadata(entry)["attributes"] == {"a": expected}
    assert type(metadata(entry)["attributes"]["a"]) is type(expected)


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_every_kind_of_body_is_a_message_and_kept_when_it_is_no_text(value: AnyValue, expected: object) -> None:
    entry = one(a_request(LogRecord(body=value)))

    if isinstance(expected, str) and value.WhichOneof("value") == "string_value":
        assert entry.message == (expected or "(no body)")
    elif expected is None:
        assert entry.message == "(no body)"
    elif not isinstance(expected, str):
        assert json.loads(entry.message) == metadata(entry)["body"] == expected


@pytest.mark.parametrize("number", range(25))
def test_each_severity_number_is_a_level(number: int) -> None:
    entry = one(a_request(LogRecord(body=TEXT, severity_number=number)))  # type: ignore[arg-type]  # an open enum

    assert entry.level is (list(Level)[(number - 1) // 4] if number else Level.INFO)


@pytest.mark.parametrize(
    ("text", "level"), [("Warning", Level.WARN), ("err", Level.ERROR), (" CRITICAL ", Level.FATAL), ("?", Level.INFO)]
)
def test_without_a_number_the_text_says_the_severity(text: str, level: Level) -> None:
    assert one(a_request(LogRecord(body=TEXT, severity_text=text))).level is level


@pytest.mark.parametrize(
    ("name", "service"),
    [
        (None, "unknown_service"), ("", "unknown_service"), ("日本", "unknown_service"), ("...", "unknown_service"),
        ("pay ments#1", "pay_ments_1"), ("-a", "a"), ("s" * 300, "s" * 128), ("a\nb\u2028", "a_b_"), ("a/b:c", "a/b:c"),
    ],
)  # fmt: skip
def test_a_hostile_service_name_becomes_one_that_is_taken(name: str | None, service: str) -> None:
    (entry,) = otlp.read(a_request(service=name).SerializeToString(), PROTOBUF)

    assert (entry.service_name if isinstance(entry, LogIn) else entry) == service


@pytest.mark.parametrize("nanos", [0, 1, NANOS, 2**64 - 1])
def test_any_time_is_read_and_none_is_left_to_the_server(nanos: int) -> None:
    entry = one(a_request(LogRecord(body=TEXT, time_unix_nano=nanos)))

    expected = min(nanos // 1000, parse_instant("9999-12-31T23:59:59.999999Z"))
    assert entry.timestamp == (expected if nanos else None)


def test_the_observed_time_stands_in_for_the_time() -> None:
    assert one(a_request(LogRecord(body=TEXT, observed_time_unix_nano=NANOS))).timestamp == NOON


def test_a_uid_becomes_the_log_id_when_it_is_a_uuid() -> None:
    uid = "0b5c0f4e-5f0c-4e0e-8f6b-2f6e1f3c1a11"
    with_uid = [KeyValue(key="log.record.uid", value=AnyValue(string_value=text)) for text in (uid, "01ARZ3NDEK")]

    found = [one(a_request(LogRecord(body=TEXT, attributes=[pair]))).log_id for pair in with_uid]

    assert found == [uid, None]


def test_a_record_that_cannot_be_kept_leaves_the_others() -> None:
    deep = TEXT
    for _ in range(20):
        deep = AnyValue(array_value=ArrayValue(values=[deep]))
    bad = [
        LogRecord(body=AnyValue(string_value="a\x00")),
        LogRecord(body=TEXT, attributes=[KeyValue(key="a", value=deep)]),
    ]

    entries = read(a_request(LogRecord(body=TEXT), *bad, LogRecord(body=TEXT)))

    assert [type(entry) for entry in entries] == [LogIn, Fault, Fault, LogIn]


def test_more_than_a_thousand_records_are_refused_in_either_encoding() -> None:
    request = a_request(*[LogRecord(body=TEXT)] * 1001)

    for raw, media in ((request.SerializeToString(), PROTOBUF), (in_json(request), JSON)):
        with pytest.raises(BadRequest):
            otlp.read(raw, media)
    assert len(read(a_request(*[LogRecord(body=TEXT)] * 1000))) == 1000


def test_fields_that_a_later_otlp_adds_are_passed_over() -> None:
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}, "new": 1}]}], "more": {}}]}

    assert len(otlp.read(json.dumps(body).encode(), JSON)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'{"resourceLogs": 1}', b'{"resourceLogs": [1]}', b"\xff", b'{"a": NaN}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"traceId": "xyz"}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "\\ud800"}}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "-1"}]}]}]}',
        b'{"resourceLogs": ' + b"[" * 100_000,
    ],
)  # fmt: skip
def test_json_that_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        otlp.read(body, JSON)


@given(st.binary(max_size=80), st.sampled_from([JSON, PROTOBUF]))
def test_any_bytes_are_records_or_a_bad_request(raw: bytes, media: str) -> None:
    try:
        entries = otlp.read(raw, media)
    except BadRequest:
        return

    assert all(isinstance(entry, LogIn | Fault) for entry in entries)


WORDS = ["resourceLogs", "scopeLogs", "logRecords", "body", "attributes", "traceId", "key", "value", "stringValue"]
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


@given(
    st.recursive(
        LEAVES,
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.sampled_from(WORDS), x, max_size=3),
        max_leaves=20,
    )
)
def test_any_json_in_otlps_words_is_records_or_a_bad_request(body: object) -> None:
    try:
        entries = otlp.read(json.dumps(body).encode(), JSON)
    except BadRequest:
        return

    assert all(isinstance(entry, LogIn | Fault) for entry in entries)


def test_an_answer_speaks_of_a_partial_success_only_when_there_was_one() -> None:
    reasons = ["too old", "too old", "bad"]

    assert otlp.answer([], PROTOBUF) == b""
    assert json.loads(otlp.answer([], JSON)) == {}
    response = ExportLogsServiceResponse.FromString(otlp.answer(reasons, PROTOBUF))
    assert response.partial_success.rejected_log_records == 3
    assert json.loads(otlp.answer(reasons, JSON)) == {
        "partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "too old; bad"}
    }
