"""Many write the same record at once; nothing is doubled, nothing is replaced."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

from .calling import Api, Reply, record, stamp

THREADS = 32


def at_once(calls: list[Callable[[], Reply]]) -> list[Reply]:
    """Make all calls at the same moment."""
    barrier = Barrier(len(calls))

    def made(call: Callable[[], Reply]) -> Reply:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(made, calls))


def test_of_32_writers_of_one_record_one_creates_it_and_the_rest_are_told_so(api: Api, service: str) -> None:
    body = record(service, timestamp=stamp(), log_id=str(uuid4()))

    replies = at_once([lambda: api.post("/logs", body)] * THREADS)

    assert Counter(reply.status for reply in replies) == {201: 1, 200: THREADS - 1}
    assert {reply.json.get("duplicate") for reply in replies if reply.status == 200} == {True}
    assert {reply.json["log_id"] for reply in replies} == {body["log_id"]}
    assert [log["log_id"] for log in api.walk(service_name=service)] == [body["log_id"]]


def test_equal_log_ids_with_other_content_are_all_kept(api: Api, service: str) -> None:
    same = {"timestamp": stamp(), "log_id": str(uuid4())}
    bodies = [record(service, message=f"version {number}", **same) for number in range(THREADS)]

    replies = at_once([lambda body=body: api.post("/logs", body) for body in bodies])  # type: ignore[misc]

    assert {reply.status for reply in replies} == {201}
    assert {log["message"] for log in api.walk(service_name=service)} == {body["message"] for body in bodies}


def test_a_record_is_never_changed_by_one_that_differs_in_any_field(api: Api, service: str) -> None:
    first = record(service, timestamp=stamp(), log_id=str(uuid4()), metadata={"a": 1})
    others = [
        {**first, "level": "ERROR"},
        {**first, "log_type": "audit"},
        {**first, "metadata": {"a": 2}},
        {**first, "message": "another"},
    ]
    api.post("/logs", first)

    api.post("/logs/batch", {"logs": others})

    kept = api.walk(service_name=service)
    assert len(kept) == 5
    assert sum(1 for log in kept if all(log[name] == value for name, value in first.items())) == 1


def test_equal_lines_without_log_id_never_merge(api: Api, service: str) -> None:
    body = record(service, timestamp=stamp())

    replies = at_once([lambda: api.post("/logs", body)] * 8)

    assert {reply.status for reply in replies} == {201}
    assert len(api.walk(service_name=service)) == 8


def test_batches_and_single_writes_of_the_same_records_racing_keep_each_once(api: Api, service: str) -> None:
    bodies = [record(service, message=str(n), timestamp=stamp(), log_id=str(uuid4())) for n in range(30)]
    batches: list[Callable[[], Reply]] = [lambda: api.post("/logs/batch", {"logs": bodies})] * 4
    singles = [lambda body=body: api.post("/logs", body) for body in bodies[:12]]

    at_once([*batches, *singles])

    assert Counter(log["message"] for log in api.walk(service_name=service)) == Counter(map(str, range(30)))
