"""Bodies that mean harm: 400, 413 or 415 with the field's name, never a 500, and the next request works."""

import gzip
import json
from typing import Any

import pytest

from .calling import JSON, NDJSON, PROTOBUF, Api, record, stamp

ROUTES = ("/logs", "/logs/batch", "/v1/logs")
DEEP = 100_000
GOOD = json.dumps(record("hostile"))[1:-1].encode()


def with_metadata(text: bytes) -> bytes:
    return b'{%s, "metadata": %s}' % (GOOD, text)


NO_JSON: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n ",
    "NUL": b"\x00",
    "no UTF-8": b'{"message": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "cut short": b'{"service_name": "a',
    "two values": b"{} {}",
    "a comment": b"{} // x",
    "single quotes": b"{'a': 1}",
    "a trailing comma": b'{"a": 1,}',
    "100,000 open brackets": b"[" * DEEP,
    "100,000 nested lists": b"[" * DEEP + b"]" * DEEP,
    "100,000 nested objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "an integer of 5,000 digits": b"9" * 5_000,
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "a form": b"service_name=a&message=b",
    "a list": b"[]",
    "a number": b"1",
    "a text": b'"x"',
    "null": b"null",
    "true": b"true",
    "NaN": b"NaN",
    "gzip that is none": b"\x1f\x8b\x08\x00 no gzip",
    "gzip cut short": gzip.compress(b'{"logs": []}')[:-9],
    "gzip of nothing": gzip.compress(b""),
    "gzip within gzip": gzip.compress(gzip.compress(b"{}")),
    "a byte-order mark and nothing": b"\xef\xbb\xbf",
}
WRONG_VALUES: dict[str, tuple[object, ...]] = {
    "service_name": ("", " ", "a b", "a#b", "-a", "é", "a" * 129, "a\n", "a\x00", 1, None, [], {}),
    "log_type": ("", "A", "1a", "a b", "a" * 65, "a\n", 1, None),
    "level": ("", "LOUD", "INFO ", "\uff29NFO", 9, None, True, ["INFO"], "INFO\x00"),
    "message": ("", "a\x00b", "\ud800", 1, None, [], {}, 1.5),
    "log_id": ("", "x", "1" * 36, 1, [], "g" * 8 + "-0000-0000-0000-" + "0" * 12),
    "metadata": ("{}", [], 1, None, True, "x"),
}
WRONG = [(name, value) for name, values in WRONG_VALUES.items() for value in values]
BAD_TIMES: tuple[object, ...] = (
    "",
    "now",
    "2026-02-03",
    "2026-02-03T04:05:06",
    "2026-02-03 04:05:06",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-02-03T24:00:00Z",
    "2026-02-03T04:60:00Z",
    "2026-02-03T04:05:61Z",
    "2026-02-03T04:05:06+24:00",
    "2026-02-03T04:05:06+0100",
    "٢٠٢٦-02-03T04:05:06Z",
    "2026-W06-2T04:05:06Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-02-03T04:05:06." + "1" * 100_000 + "Z",
    "1970-01-01T00:00:00Z",
    1_790_000_000,
    1.5,
    True,
    [],
    {},
)
BAD_METADATA: dict[str, bytes] = {
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": [Infinity]}',
    "minus infinity": b'{"a": -Infinity}',
    "a number beyond all": b'{"a": 1e999}',
    "an integer of 39 digits": b'{"a": 1%s}' % (b"0" * 38),
    "an integer of 5,000 digits": b'{"a": %s}' % (b"9" * 5_000),
    "17 levels": b'{"a":' * 17 + b"1" + b"}" * 17,
    "100,000 levels": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a lone surrogate": rb'{"a": "\ud800"}',
    "a lone surrogate as a name": rb'{"\udfff": 1}',
    "NUL": rb'{"a": "x\u0000"}',
    "NUL in a name": rb'{"\u0000": 1}',
    "a list": b"[1]",
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", NO_JSON)
def test_what_is_no_json_object_is_400(api: Api, route: str, name: str) -> None:
    assert api.post(route, NO_JSON[name]).status == 400


@pytest.mark.parametrize("name", NO_JSON)
def test_lines_that_are_no_json_objects_are_400(api: Api, name: str) -> None:
    reply = api.post("/logs/batch", NO_JSON[name], NDJSON)

    assert reply.status == 400


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_field_is_400_and_named_also_in_a_batch(api: Api, field: str, value: object) -> None:
    body = {**record("hostile"), field: value}

    single = api.post("/logs", body)
    batch = api.post("/logs/batch", {"logs": [body, record("hostile")]})

    assert single.status == 400
    assert any(named.split(".")[0] in {field, "body"} for named in single.fields)
    assert batch.status == 200
    assert [result["status"] for result in batch.json["results"]] == ["rejected", "stored"]
    assert batch.json["results"][0]["retryable"] is False


@pytest.mark.parametrize("field", ["service_name", "log_type", "level", "message"])
def test_a_missing_field_is_400_and_named(api: Api, field: str) -> None:
    body = record("hostile")
    del body[field]

    reply = api.post("/logs", body)

    assert (reply.status, reply.fields) == (400, {field})


@pytest.mark.parametrize(
    "name", ["pk", "sk", "ttl", "expires_at", "caller", "identity", "Message", "__proto__", "\u202e"]
)
def test_an_unknown_field_is_400_and_named(api: Api, name: str) -> None:
    reply = api.post("/logs", record("hostile", **{name: "x"}))

    assert reply.status == 400
    assert len(reply.fields) == 1


@pytest.mark.parametrize("value", BAD_TIMES)
def test_a_timestamp_that_is_no_instant_or_too_far_is_400_and_named(api: Api, value: object) -> None:
    reply = api.post("/logs", record("hostile", timestamp=value))

    assert (reply.status, reply.fields) == (400, {"timestamp"})


@pytest.mark.parametrize("name", BAD_METADATA)
def test_metadata_that_cannot_be_kept_is_400_and_never_spoils_its_batch(api: Api, name: str) -> None:
    bad = with_metadata(BAD_METADATA[name])
    lines = bad + b"\n" + json.dumps(record("hostile")).encode()

    single = api.post("/logs", bad)
    batch = api.post("/logs/batch", lines, NDJSON)

    assert single.status == 400
    assert [result["status"] for result in batch.json["results"]] == ["rejected", "stored"]


def test_16_levels_of_metadata_come_back_equal(api: Api, service: str) -> None:
    metadata: Any = 1
    for _ in range(16):
        metadata = {"a": metadata}

    assert api.post("/logs", record(service, metadata=metadata)).status == 201
    assert api.walk(service_name=service)[0]["metadata"] == metadata


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "media", ["text/plain", "application/xml", "multipart/form-data", "application/json5", "x", "é"]
)
def test_another_content_type_is_415(api: Api, route: str, media: str) -> None:
    assert api.post(route, b"{}", media.encode().decode("latin-1")).status == 415


@pytest.mark.parametrize("media", ["Application/JSON", "application/json; charset=utf-8", "APPLICATION/JSON;x=y"])
def test_the_content_type_is_read_as_http_says(api: Api, service: str, media: str) -> None:
    assert api.post("/logs", record(service), media).status == 201


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd", "\x7f"])
def test_another_content_encoding_is_415(api: Api, encoding: str) -> None:
    assert api.post("/logs", record("hostile"), Content_Encoding=encoding).status == 415


def test_plain_text_that_claims_to_be_gzip_is_400(api: Api) -> None:
    assert api.post("/logs", record("hostile"), Content_Encoding="gzip").status == 400


@pytest.mark.parametrize("route", ["/logs/batch", "/v1/logs"])
@pytest.mark.parametrize("size", [5 * 1024 * 1024 + 1, 200 * 1024 * 1024])
def test_a_gzip_bomb_is_413(api: Api, route: str, size: int) -> None:
    bomb = gzip.compress(b" " * size)

    assert api.post(route, bomb).status == 413


def test_gzip_of_200_000_empty_members_is_refused_without_unpacking_each(api: Api) -> None:
    assert api.post("/logs/batch", gzip.compress(b"") * 200_000).status == 400


def test_60_000_unknown_fields_are_answered_with_a_few_of_them(api: Api) -> None:
    reply = api.post("/logs", record("hostile", **{f"field{n}": 0 for n in range(60_000)}))

    assert reply.status == 400
    assert len(reply.json["details"]) <= 20


def test_protobuf_that_is_none_is_400(api: Api) -> None:
    for body in (b"\xff", b"\x0a\x05\x12", b"{}", b"\x0a" * 1_000, bytes(range(256))):
        assert api.post("/v1/logs", body, PROTOBUF).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"resourceLogs": {}},
        {"resourceLogs": [1]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": "x"}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"traceId": "zz"}]}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "-1"}]}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": 2**64}]}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": []}]}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": "x"}]}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": [{"key": "a", "value": 1}]}]}]}]},
        {"resourceLogs": [{"resource": "x", "scopeLogs": []}]},
        {"resourceLogs": [{}] * 500_000},
    ],
)
def test_json_that_is_no_otlp_is_400(api: Api, body: object) -> None:
    assert api.post("/v1/logs", body).status == 400


def test_otlp_of_more_than_1000_records_is_400(api: Api) -> None:
    empty: dict[str, object] = {}
    scope = {"logRecords": [empty] * 1_001}

    assert api.post("/v1/logs", {"resourceLogs": [{"scopeLogs": [scope]}]}).status == 400


def test_an_error_never_repeats_what_was_sent(api: Api) -> None:
    secret = "AKIAIOSFODNN7EXAMPLE"

    replies = [
        api.post("/logs", record(secret + "\n", level=secret, message=1, timestamp=secret)),
        api.post("/logs", secret.encode()),
        api.get("/logs/recent", cursor=secret, level=secret, since=secret),
    ]

    assert [reply.status for reply in replies] == [400, 400, 400]
    assert all(secret.encode() not in reply.body for reply in replies)


def test_after_all_that_a_good_record_is_taken(api: Api, service: str) -> None:
    reply = api.post("/logs", record(service, timestamp=stamp()), JSON)

    assert reply.status == 201
