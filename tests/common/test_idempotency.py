"""The same request twice does its work once, on a real table."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from common.errors import ApplicationError, IdempotencyMismatch, InProgress, ValidationFailed
from common.idempotency import KEPT_SECONDS, Answer, Demand, Idempotency
from common.web import demand_of, once
from tests.common.http import Call, LambdaContext
from tests.fakes.clock import NOON, FakeClock
from tests.log_service.store_contract import make_table
from tests.support.engine import Engine

DEMAND = Demand("caller", "/logs", "key-1", "digest")
CONTEXT = LambdaContext()


@dataclass
class Desk:
    kept: Idempotency
    done: list[int] = field(default_factory=list)

    def work(self) -> Answer:
        self.done.append(1)
        return Answer(f"answer {len(self.done)} é".encode(), 201)

    def once(self, demand: Demand = DEMAND, work: Callable[[], Answer] | None = None) -> Answer:
        return self.kept.once(demand, work or self.work, CONTEXT)


@pytest.fixture
def desk(engine: Engine) -> Iterator[Desk]:
    client = engine.client("dynamodb")
    yield Desk(Idempotency(client, make_table(client, "IdempotencyTable"), FakeClock()))
    client.close()


def test_the_first_answer_is_given_again(desk: Desk) -> None:
    first, second = desk.once(), desk.once()

    assert (first.body.decode(), first.status, first.replayed) == ("answer 1 é", 201, False)
    assert second == replace(first, replayed=True)
    assert len(desk.done) == 1


@pytest.mark.parametrize("change", [{"caller": "other"}, {"route": "/other"}, {"key": "key-2"}], ids=str)
def test_a_key_is_a_callers_own_for_one_route(desk: Desk, change: dict[str, str]) -> None:
    desk.once()

    assert not desk.once(replace(DEMAND, **change)).replayed


def test_another_body_under_the_same_key_is_a_mismatch(desk: Desk) -> None:
    desk.once()

    with pytest.raises(IdempotencyMismatch):
        desk.once(replace(DEMAND, digest="another"))
    assert len(desk.done) == 1


def test_a_first_request_that_still_runs_is_in_progress(desk: Desk) -> None:
    def slow() -> Answer:
        with pytest.raises(InProgress):
            desk.once()
        return Answer(b"slow")

    assert desk.once(work=slow).body == b"slow"
    assert desk.done == []


def test_of_two_at_once_one_works(desk: Desk) -> None:
    together = threading.Barrier(2, timeout=20)

    def ask(_: int) -> bytes | type[Exception]:
        together.wait()
        try:
            return desk.once().body
        except InProgress as error:
            return type(error)

    with ThreadPoolExecutor(2) as pool:
        answers = set(pool.map(ask, range(2)))

    assert len(desk.done) == 1
    assert answers <= {"answer 1 é".encode(), InProgress}


def test_a_failure_is_forgotten_so_that_a_retry_works(desk: Desk) -> None:
    def fails() -> Answer:
        raise ValidationFailed.of("level", "is bad")

    with pytest.raises(ValidationFailed):
        desk.once(work=fails)

    assert desk.once().body == "answer 1 é".encode()


def test_an_answer_that_is_not_final_is_not_kept(desk: Desk) -> None:
    first = desk.once(work=lambda: Answer(b"busy", final=False))
    second, third = desk.once(), desk.once()

    assert (first.body, first.replayed) == (b"busy", False)
    assert (second.replayed, third.replayed) == (False, True)


def test_an_answer_too_large_for_an_item_is_still_given(desk: Desk) -> None:
    import random  # noqa: PLC0415  # only here

    large = random.Random(1).randbytes(500_000)  # noqa: S311  # it only must not compress

    assert desk.once(work=lambda: Answer(large)).body == large


def test_a_store_that_is_down_is_said_and_no_work_is_done(desk: Desk) -> None:
    gone = Desk(replace(desk.kept, table="no-such-table"))

    with pytest.raises(ApplicationError) as raised:
        gone.once()
    assert raised.value.status == 503
    assert gone.done == []
    with pytest.raises(ApplicationError):
        gone.kept.first_instant(DEMAND)


def test_a_key_knows_when_it_was_first_seen(desk: Desk) -> None:
    clock = desk.kept.clock
    assert isinstance(clock, FakeClock)

    first = desk.kept.first_instant(DEMAND)
    clock.advance(60)

    assert first == desk.kept.first_instant(DEMAND) == NOON
    assert desk.kept.first_instant(replace(DEMAND, key="key-2")) == NOON + 60_000_000
    assert KEPT_SECONDS == 86_400


@pytest.mark.parametrize("key", ["", "k" * 256, "a\n", "é", "\x7f"])
def test_a_key_that_is_empty_long_or_unprintable_is_refused(key: str) -> None:
    with pytest.raises(ValidationFailed, match="Idempotency-Key"):
        demand_of(Call("POST", "/logs", {"Idempotency-Key": key}, b"{}").request(), "caller")


def test_a_demand_tells_bodies_and_their_types_apart() -> None:
    calls = [
        Call("POST", "/logs", {"Idempotency-Key": "k" * 255, "Content-Type": kind}, body)
        for kind in ("application/json", "text/plain")
        for body in (b"1", b"2")
    ]

    demands = [demand_of(call.request(), "caller") for call in calls]

    assert len({demand.digest for demand in demands if demand}) == 4


def test_a_replay_says_so_in_a_header(desk: Desk) -> None:
    request = Call("POST", "/logs", {"Idempotency-Key": "k"}, b"{}").request()
    demand = demand_of(request, "caller")

    replies = [once(request, lambda: desk.kept, demand, desk.work) for _ in range(2)]
    without = once(request, lambda: desk.kept, None, desk.work)

    assert [reply.headers.get("Idempotency-Replayed") for reply in (*replies, without)] == [None, "true", None]
    assert [reply.status_code for reply in replies] == [201, 201]
