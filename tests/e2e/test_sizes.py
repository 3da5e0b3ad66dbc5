"""Every size at its border: one byte or one record more is refused, and nothing makes an answer too large."""

import gzip
import json
from uuid import uuid4

import pytest

from .calling import JSON, NDJSON, Api, record, stamp

KIB = 1024
MIB = 1024 * KIB
RECORD = 256 * KIB


def filled(service: str, size: int) -> dict[str, object]:
    """A record of `size` bytes of message and metadata."""
    message = "m" * 1_000
    return record(service, message=message, metadata={"a": "x" * (size - len(message) - len('{"a":""}'))})


def padded(service: str, size: int) -> bytes:
    """A batch of one record in exactly `size` bytes."""
    body = json.dumps({"logs": [record(service)]}).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize("letter", ["a", "é", "字", "🙂"])
def test_a_message_of_64_kib_is_kept_byte_for_byte_and_one_byte_more_is_400(
    api: Api, service: str, letter: str
) -> None:
    message = letter * (64 * KIB // len(letter.encode()))
    message += "a" * (64 * KIB - len(message.encode()))

    assert api.post("/logs", record(service, message=message)).status == 201
    assert api.walk(service_name=service)[0]["message"] == message
    over = api.post("/logs", record(service, message=message + "a"))
    assert (over.status, over.fields) == (400, {"message"})


def test_a_record_of_nearly_256_kib_is_kept_and_one_over_it_is_413(api: Api, service: str) -> None:
    large = filled(service, RECORD - 2 * KIB)

    assert api.post("/logs", large).status == 201
    assert api.post("/logs", filled(service, RECORD + 1)).status == 413
    assert [log["metadata"] for log in api.walk(service_name=service)] == [large["metadata"]]


def test_a_record_over_256_kib_is_rejected_alone_in_a_batch(api: Api, service: str) -> None:
    batch = [filled(service, RECORD + 1), record(service), filled(service, RECORD - 2 * KIB)]

    reply = api.post("/logs/batch", {"logs": batch}).json

    assert [result["status"] for result in reply["results"]] == ["rejected", "stored", "stored"]
    assert (reply["accepted"], reply["duplicate"], reply["rejected"]) == (2, 0, 1)
    assert reply["results"][0]["error"]
    assert len(api.walk(service_name=service)) == 2


@pytest.mark.parametrize("media", [JSON, NDJSON])
def test_1000_records_are_taken_and_1001_are_400(api: Api, service: str, media: str) -> None:
    def body(number: int) -> bytes:
        records = [record(service, message=str(n)) for n in range(number)]
        return json.dumps({"logs": records}).encode() if media == JSON else "\n".join(map(json.dumps, records)).encode()

    assert api.post("/logs/batch", body(1_000), media).json["accepted"] == 1_000
    assert api.post("/logs/batch", body(1_001), media).status == 400
    assert api.post("/logs/batch", body(0), media).status == 400
    assert [log["message"] for log in api.walk(service_name=service, limit=999)] == [str(n) for n in range(999, -1, -1)]


def test_4_mib_as_sent_are_taken_and_one_byte_more_is_413(api: Api, service: str) -> None:
    assert api.post("/logs/batch", padded(service, 4 * MIB)).status == 200
    assert api.post("/logs/batch", padded(service, 4 * MIB + 1)).status == 413
    assert api.post("/v1/logs", b" " * (4 * MIB + 1)).status == 413


@pytest.mark.parametrize("headers", [{}, {"Content_Encoding": "gzip"}, {"Content_Encoding": "GZIP"}])
def test_5_mib_inflated_are_taken_with_and_without_the_header_and_one_byte_more_is_413(
    api: Api, service: str, headers: dict[str, str]
) -> None:
    assert api.post("/logs/batch", gzip.compress(padded(service, 5 * MIB)), JSON, **headers).status == 200
    assert api.post("/logs/batch", gzip.compress(padded(service, 5 * MIB + 1)), JSON, **headers).status == 413
    assert len(api.walk(service_name=service)) == 1


def test_gzip_in_two_members_is_one_body(api: Api, service: str) -> None:
    body = padded(service, 10_000)

    assert api.post("/logs/batch", gzip.compress(body[:50]) + gzip.compress(body[50:])).json["accepted"] == 1


def test_a_body_over_10_mb_is_413(api: Api) -> None:
    assert api.post("/logs/batch", b" " * (11 * MIB)).status == 413


def test_pages_of_long_records_are_smaller_and_the_walk_finds_all(api: Api, service: str) -> None:
    messages = [f"{n:04d}" + "x" * 60 * KIB for n in range(150)]
    for start in range(0, 150, 50):
        batch = [record(service, message=message) for message in messages[start : start + 50]]
        assert api.post("/logs/batch", {"logs": batch}).json["accepted"] == 50

    pages = list(api.pages(service_name=service, limit=1000))

    assert len(pages) > 1
    assert all(page["count"] for page in pages)
    assert [log["message"] for page in pages for log in page["logs"]] == messages[::-1]


@pytest.mark.parametrize("letter", ["\x01", '"', "\\", "\u2028", "\x7f"])
def test_pages_of_what_json_must_escape_stay_within_an_answer(api: Api, service: str, letter: str) -> None:
    message = letter * (64 * KIB // len(letter.encode()))
    escaped = {"logs": [record(service, message=message, timestamp=stamp(n)) for n in range(10)]}
    for _ in range(6):
        body = gzip.compress(json.dumps(escaped, ensure_ascii=False).encode())
        assert api.post("/logs/batch", body).json["accepted"] == 10

    found = api.walk(service_name=service, limit=1000)

    assert [log["message"] for log in found] == [message] * 60


@pytest.mark.parametrize("name", ["unknown", "\\"])
def test_an_answer_too_large_to_be_kept_under_a_key_is_given_all_the_same(api: Api, service: str, name: str) -> None:
    bad = [record(service, **{f"{uuid4()}{uuid4()}{name * 40}{n}{k}": 1 for k in range(3)}) for n in range(900)]
    batch = {"logs": [*bad, record(service)]}

    replies = [api.post("/logs/batch", batch, Idempotency_Key=service) for _ in range(2)]

    assert [reply.status for reply in replies] == [200, 200]
    assert replies[0].json == replies[1].json
    assert len(api.walk(service_name=service)) == 1
