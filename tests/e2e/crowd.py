"""20,000 records of three services, written by eight threads while somebody tails; some batches come twice."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from time import monotonic
from typing import Any
from uuid import uuid4

from local.waiting import until

from .calling import BUSY, BUSY_SECONDS, Api, Reply, record, stamp, unique

RECORDS = 20_000
ERRORS = 45
WRITERS = 8
BATCH = 100
SERVICES = ("checkout", "payments", "stock")
IN_TIME_SECONDS = 1.5
TAIL_SECONDS = 120


@dataclass
class Crowd:
    """What was written and what the tail saw."""

    api: Api
    written: list[dict[str, Any]]
    in_time: set[str] = field(default_factory=set)
    tailed: list[str] = field(default_factory=list)

    def messages(self, **same: str) -> Counter[str]:
        """The messages of the written records that have these fields."""
        return Counter(r["message"] for r in self.written if all(r[name] == value for name, value in same.items()))

    @property
    def services(self) -> list[str]:
        return sorted({r["service_name"] for r in self.written})


def made() -> list[dict[str, Any]]:
    """The records; the rare ERRORs stand anywhere among them."""
    chance = random.Random(20_000)  # noqa: S311  # the same crowd every time
    rare = set(chance.sample(range(RECORDS), ERRORS))
    names = [unique(name) for name in SERVICES]
    return [
        record(
            names[number % len(names)],
            message=f"{number} rare" if number in rare else str(number),
            level="ERROR" if number in rare else "INFO",
            log_type="audit" if number in rare and number % 2 else "application",
            metadata={"number": number, "half": number / 2},
        )
        for number in range(RECORDS)
    ]


def gather(api: Api) -> Crowd:
    """Write the crowd while tailing it."""
    crowd = Crowd(api, made())
    cursor = api.found("/logs/tail")["nextCursor"]
    done = threading.Event()
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        tail = pool.submit(_follow, crowd, cursor, done)
        writes = [pool.submit(write, crowd) for write in _writes(crowd)]
        try:
            for write in writes:
                write.result()
        finally:
            done.set()
        tail.result()
    return crowd


def _writes(crowd: Crowd) -> Iterator[Callable[[Crowd], None]]:
    for number, batch in enumerate(batched(crowd.written, BATCH, strict=False)):
        kind = (_with_key, _with_ids, _once, _at_one_instant)[number % 4]
        yield lambda crowd, kind=kind, batch=batch: _timed(crowd, kind, list(batch))  # type: ignore[misc]


def _timed(crowd: Crowd, kind: Callable[[Api, list[Any]], None], batch: list[dict[str, Any]]) -> None:
    began = monotonic()
    kind(crowd.api, batch)
    if monotonic() - began < IN_TIME_SECONDS:
        crowd.in_time |= {r["message"] for r in batch}


def _with_key(api: Api, batch: list[dict[str, Any]]) -> None:
    """Stamped by the server, sent twice under one key."""
    key = str(uuid4())
    sent = [_accepted(api, batch, Idempotency_Key=key) for _ in range(2)]
    assert sent[0].json == sent[1].json
    assert sent[1].headers["idempotency-replayed"] == "true"


def _with_ids(api: Api, batch: list[dict[str, Any]]) -> None:
    """Stamped by the client, sent twice."""
    stamped = [{**r, "timestamp": stamp(), "log_id": str(uuid4())} for r in batch]
    for _ in range(2):
        assert _accepted(api, stamped).json["accepted"] == len(batch)


def _once(api: Api, batch: list[dict[str, Any]]) -> None:
    """Stamped by the server, sent once; the key is for a busy store."""
    assert _accepted(api, batch, Idempotency_Key=str(uuid4())).json["accepted"] == len(batch)


def _at_one_instant(api: Api, batch: list[dict[str, Any]]) -> None:
    """All at the same microsecond, some of them in the batch twice."""
    now = stamp()
    stamped = [{**r, "timestamp": now, "log_id": str(uuid4())} for r in batch]
    reply = _accepted(api, stamped + stamped[:10]).json
    assert (reply["accepted"], reply["duplicate"]) == (len(batch), 10)


def _accepted(api: Api, batch: list[dict[str, Any]], **headers: str) -> Reply:
    """Send a batch as a client should: again while the store is busy."""
    answers: list[Reply] = []

    def accepted() -> bool:
        answers.append(api.post("/logs/batch", {"logs": batch}, **headers))
        assert answers[-1].status in {200, 409} | BUSY, answers[-1]
        return answers[-1].status == 200 and not answers[-1].json["rejected"]

    until(accepted, BUSY_SECONDS, "a busy store")
    return answers[-1]


def _follow(crowd: Crowd, cursor: str, done: threading.Event) -> None:
    """Tail, each poll a connection of its own, until the writers are done and nothing more comes."""
    api, deadline = Api(crowd.api.url), monotonic() + TAIL_SECONDS
    while monotonic() < deadline:
        finishing = done.is_set()
        page = api.found("/logs/tail", cursor=cursor, limit=1000, wait=3)
        crowd.tailed += [log["message"] for log in page["logs"]]
        cursor = page["nextCursor"]
        if finishing and not page["logs"] and "partial" not in page:
            return
    raise AssertionError("the tail did not come to an end")
