"""Idempotency-Key on every route that creates: the same answer again, another body 409, two at once one work."""

from collections import Counter
from uuid import uuid4

import pytest

from .calling import JSON, PROTOBUF, Api, Reply, record, stamp
from .test_races import at_once

ROUTES = ("/logs", "/logs/batch", "/v1/logs")


def body_of(route: str, service: str, message: str = "once") -> object:
    """A request of one record without id and timestamp."""
    if route == "/v1/logs":
        name = {"key": "service.name", "value": {"stringValue": service}}
        records = [{"body": {"stringValue": message}}]
        return {"resourceLogs": [{"resource": {"attributes": [name]}, "scopeLogs": [{"logRecords": records}]}]}
    entry = record(service, message=message)
    return entry if route == "/logs" else {"logs": [entry]}


def send(api: Api, route: str, body: object, key: str) -> Reply:
    return api.post(route, body, JSON, Idempotency_Key=key)


@pytest.mark.parametrize("route", ROUTES)
def test_the_same_key_and_body_is_answered_as_the_first_time_and_stores_once(
    api: Api, service: str, route: str
) -> None:
    key, body = str(uuid4()), body_of(route, service)

    replies = [send(api, route, body, key) for _ in range(4)]

    assert len({(reply.status, reply.body, reply.headers["content-type"]) for reply in replies}) == 1
    assert [reply.headers.get("idempotency-replayed") for reply in replies] == [None, "true", "true", "true"]
    assert len({reply.headers["x-request-id"] for reply in replies}) == 4
    assert len(api.walk(service_name=service)) == 1


@pytest.mark.parametrize("route", ROUTES)
def test_the_same_key_with_another_body_is_409_and_stores_nothing(api: Api, service: str, route: str) -> None:
    key = str(uuid4())
    send(api, route, body_of(route, service), key)

    reply = send(api, route, body_of(route, service, "another"), key)

    assert (reply.status, reply.json["code"]) == (409, "IdempotencyMismatch")
    assert [log["message"] for log in api.walk(service_name=service)] == ["once"]


@pytest.mark.parametrize("route", ROUTES)
def test_of_many_at_once_one_works_and_the_others_are_told_to_wait_or_given_its_answer(
    api: Api, service: str, route: str
) -> None:
    key, body = str(uuid4()), body_of(route, service)

    replies = at_once([lambda: send(api, route, body, key)] * 12)

    statuses = Counter(reply.status for reply in replies)
    assert set(statuses) <= {200, 201, 409}
    assert {reply.json["code"] for reply in replies if reply.status == 409} <= {"InProgress"}
    done = [reply for reply in replies if reply.status != 409]
    assert sum("idempotency-replayed" not in reply.headers for reply in done) == 1
    assert len({reply.body for reply in done}) == 1
    assert len(api.walk(service_name=service)) == 1


def test_a_request_that_is_still_running_makes_the_next_one_wait(api: Api, service: str) -> None:
    key, batch = str(uuid4()), {"logs": [record(service, message=str(n)) for n in range(1_000)]}

    replies = at_once([lambda: send(api, "/logs/batch", batch, key)] * 6)
    waiting = [reply for reply in replies if reply.status == 409]

    assert {(reply.json["code"], reply.headers["retry-after"].isdecimal()) for reply in waiting} == {
        ("InProgress", True)
    }
    assert len(api.walk(service_name=service, limit=1000)) == 1_000


@pytest.mark.parametrize("key", ["k", "k" * 255, "with space", '"quoted"', "~!@#$%^&*()"])
def test_a_key_of_1_to_255_printable_characters_is_taken(api: Api, service: str, key: str) -> None:
    body = body_of("/logs", service)

    assert (
        send(api, "/logs", body, key[:200] + service if len(key) < 255 else service + key[len(service) :]).status == 201
    )


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("key", ["", "k" * 256, "\x7f", "é", "a\tb"])
def test_another_key_is_400_and_stores_nothing(api: Api, service: str, route: str, key: str) -> None:
    reply = send(api, route, body_of(route, service), key)

    assert (reply.status, reply.fields) == (400, {"Idempotency-Key"})
    assert api.walk(service_name=service) == []


def test_a_key_is_one_per_route(api: Api, service: str) -> None:
    key = str(uuid4())

    replies = [send(api, route, body_of(route, service), key) for route in ROUTES]

    assert [reply.headers.get("idempotency-replayed") for reply in replies] == [None, None, None]
    assert len(api.walk(service_name=service)) == 3


@pytest.mark.parametrize("route", ROUTES)
def test_a_request_that_was_refused_does_not_use_up_its_key(api: Api, service: str, route: str) -> None:
    key = str(uuid4())
    late = record(service, timestamp="2001-01-01T00:00:00Z")
    wrong = {"/logs": late, "/logs/batch": {"logs": [late]}, "/v1/logs": {"resourceLogs": 1}}[route]

    assert send(api, route, wrong, key).status == 400
    assert send(api, route, body_of(route, service), key).status in {200, 201}


def test_records_of_a_keyed_batch_keep_their_order_ids_and_instants_over_a_repeat(api: Api, service: str) -> None:
    batch = {"logs": [record(service, message=str(n)) for n in range(50)]}
    key = str(uuid4())

    first, second = (send(api, "/logs/batch", batch, key).json for _ in range(2))

    assert first == second
    kept = api.walk(service_name=service)
    assert [log["message"] for log in kept] == [str(n) for n in range(49, -1, -1)]
    assert [log["log_id"] for log in kept[::-1]] == [result["log_id"] for result in first["results"]]


def test_a_replayed_duplicate_is_still_200(api: Api, service: str) -> None:
    body = record(service, timestamp=stamp(), log_id=str(uuid4()))
    assert api.post("/logs", body).status == 201
    key = str(uuid4())

    replies = [send(api, "/logs", body, key) for _ in range(2)]

    assert [(reply.status, reply.json["duplicate"]) for reply in replies] == [(200, True), (200, True)]


def test_protobuf_answers_are_replayed_in_protobuf(api: Api) -> None:
    replies = [api.post("/v1/logs", b"", PROTOBUF, Idempotency_Key=str(key)) for key in [uuid4()] * 2]

    assert [(reply.status, reply.body, reply.headers["content-type"]) for reply in replies] == [
        (200, b"", PROTOBUF)
    ] * 2
