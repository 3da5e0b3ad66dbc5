"""LogServiceHandler inside a program: what it sends, keeps and drops, and that the program never notices."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials

from log_client import Buffering, LogClient, LogServiceHandler, flush_after
from tests.fakes.log_service_server import Fault, LogServiceServer

from .conftest import Time

type Make = Callable[..., LogServiceHandler]


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("app.orders")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


@pytest.fixture
def make(client: LogClient, log: logging.Logger) -> Make:
    def made(to: LogClient = client, **limits: Any) -> LogServiceHandler:  # noqa: ANN401 - fields of Buffering
        handler = LogServiceHandler(to, "billing", buffering=Buffering(**limits))
        log.addHandler(handler)
        return handler

    return made


class Spoken:
    """What was said on stderr so far."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._text = ""

    def __str__(self) -> str:
        self._text += self._capture.readouterr().err
        return self._text


@pytest.fixture
def spoken(capsys: pytest.CaptureFixture[str]) -> Spoken:
    return Spoken(capsys)


class TestSending:
    def test_records_wait_until_there_is_a_batch_of_them(
        self, make: Make, log: logging.Logger, server: LogServiceServer
    ) -> None:
        handler = make(batch=3)

        log.info("one")
        log.info("two")
        waiting = (len(server.seen), handler.pending)
        log.info("three")

        assert waiting == (0, 2)
        assert (server.messages, handler.pending, handler.sent) == (["one", "two", "three"], 0, 3)

    def test_an_old_record_is_sent_when_the_next_is_logged(
        self, make: Make, log: logging.Logger, server: LogServiceServer, time: Time
    ) -> None:
        make(interval=5.0)

        log.info("one")
        time.sleep(5.0)
        log.info("two")

        assert server.messages == ["one", "two"]

    def test_much_text_is_sent_before_there_are_many_records(
        self, make: Make, log: logging.Logger, server: LogServiceServer
    ) -> None:
        make(batch_size=10_000)

        log.info("x" * 11_000)

        assert len(server.messages) == 1

    def test_flush_and_close_send_the_rest(self, make: Make, log: logging.Logger, server: LogServiceServer) -> None:
        handler = make()

        log.info("one")
        handler.flush()
        log.info("two")
        handler.close()

        assert server.messages == ["one", "two"]

    def test_requests_are_signed(self, log: logging.Logger, credentials: Credentials) -> None:
        with LogServiceServer(credentials=credentials) as server:
            client = LogClient(server.url, credentials=credentials, region="eu-west-1")
            handler = LogServiceHandler(client, "billing")
            log.addHandler(handler)

            log.info("signed")
            handler.close()

            assert server.messages == ["signed"]

    @pytest.mark.parametrize(("service_name", "log_type"), [("", "a"), ("-x", "a"), ("é", "a"), ("x", "A"), ("x", "")])
    def test_names_that_would_be_refused_are_refused_at_construction(self, service_name: str, log_type: str) -> None:
        with pytest.raises(ValueError, match="must match"):
            LogServiceHandler("http://127.0.0.1:1", service_name, log_type=log_type)

    def test_many_threads_lose_nothing(self, make: Make, log: logging.Logger, server: LogServiceServer) -> None:
        handler = make(batch=50)

        def hundred() -> None:
            for number in range(100):
                log.info("%d", number)

        threads = [threading.Thread(target=hundred) for _ in range(8)]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        handler.flush()

        assert (len(server.stored), handler.sent, handler.dropped) == (800, 800, 0)

    def test_other_threads_go_on_logging_while_one_sends(
        self, make: Make, log: logging.Logger, server: LogServiceServer
    ) -> None:
        handler = make(batch=1)

        def meanwhile() -> None:
            thread = threading.Thread(target=log.info, args=("meanwhile",))
            thread.start()
            thread.join(timeout=10)

        server.when(1, meanwhile)
        log.info("first")

        assert [len(json.loads(request.body)["logs"]) for request in server.seen] == [1, 1]
        assert handler.sent == 2

    def test_the_log_of_sending_is_not_logged(self, make: Make, server: LogServiceServer) -> None:
        handler = make(batch=1)

        for name in ("log_client", "log_client.handler", "urllib3.connectionpool", "botocore.auth"):
            handler.handle(logging.makeLogRecord({"name": name, "msg": "own", "levelno": 20}))
        handler.handle(logging.makeLogRecord({"name": "urllib3x", "msg": "foreign", "levelno": 20}))

        assert server.messages == ["foreign"]

    def test_what_is_logged_while_sending_by_the_sender_is_ignored(
        self, log: logging.Logger, server: LogServiceServer, time: Time
    ) -> None:
        class Chatty:
            access_key, secret_key, token = "a", "b", None

            def get_frozen_credentials(self) -> "Chatty":
                log.info("signing")
                return self

        client = LogClient(server.url, credentials=Chatty(), region="eu-west-1", options=time.options())
        handler = LogServiceHandler(client, "billing", buffering=Buffering(batch=1))
        log.addHandler(handler)

        log.info("one")
        client.close()

        assert server.messages == ["one"]


class TestTrouble:
    def test_a_service_that_is_down_is_told_once_and_raises_nothing(
        self, make: Make, log: logging.Logger, nowhere: str, time: Time, spoken: Spoken
    ) -> None:
        handler = make(LogClient(nowhere, sign=False, options=time.options()), batch=1)

        for number in range(20):
            log.info("%d", number)
            time.moment += 100
        handler.flush()

        assert (handler.pending, handler.dropped, handler.sent) == (20, 0, 0)
        assert str(spoken).count("\n") == 1
        assert nowhere in str(spoken)

    def test_logging_never_sleeps_and_does_not_knock_at_every_record(
        self, make: Make, log: logging.Logger, server: LogServiceServer, time: Time, spoken: Spoken
    ) -> None:
        make(batch=1)
        server.faults.extend([Fault(503)] * 5)

        for _ in range(50):
            log.info("x")

        assert len(server.seen) == 1
        assert time.pauses == []
        assert "503" in str(spoken)

    def test_the_rest_after_a_failure_is_at_least_retry_after(
        self, make: Make, log: logging.Logger, server: LogServiceServer, time: Time, spoken: Spoken
    ) -> None:
        make(batch=1)
        server.faults.append(Fault(429, retry_after="30"))

        log.info("one")
        time.moment += 29
        log.info("two")
        before = len(server.seen)
        time.moment += 1
        log.info("three")

        assert before == 1
        assert server.messages == ["one", "two", "three"]
        assert str(spoken)

    def test_records_come_in_order_after_an_outage(
        self, make: Make, log: logging.Logger, server: LogServiceServer, time: Time, spoken: Spoken
    ) -> None:
        handler = make(batch=2)
        server.faults.append(Fault(drop="after"))

        for number in range(6):
            log.info("%d", number)
        time.moment += 100
        log.info("6")

        assert server.messages == [str(number) for number in range(7)]
        assert (handler.sent, handler.dropped) == (7, 0)
        assert str(spoken)

    def test_a_full_buffer_drops_the_oldest_and_tells_after_recovery(
        self, make: Make, log: logging.Logger, server: LogServiceServer, time: Time, spoken: Spoken
    ) -> None:
        handler = make(batch=5, records=5)
        server.faults.append(Fault(503))
        for number in range(12):
            log.info("%d", number)

        time.moment += 100
        handler.flush()

        notice = next(record for record in server.stored.values() if record["level"] == "WARN")
        assert [m for m in server.messages if m.isdigit()] == [str(number) for number in range(7, 12)]
        assert notice["message"] == "7 log records were dropped before this one"
        assert notice["metadata"]["dropped"] == 7
        assert handler.dropped == 7
        assert str(spoken).count("\n") == 1

    def test_the_buffer_is_bounded_in_bytes(
        self, make: Make, log: logging.Logger, nowhere: str, time: Time, spoken: Spoken
    ) -> None:
        handler = make(LogClient(nowhere, sign=False, options=time.options()), size=50_000)

        for _ in range(20):
            log.info("x" * 10_000)

        assert (handler.pending, handler.dropped) == (4, 16)
        handler.close()
        assert "4 log records were lost at exit (20 in all)" in str(spoken)

    def test_rejected_records_are_dropped_and_counted(
        self, make: Make, log: logging.Logger, server: LogServiceServer, spoken: Spoken
    ) -> None:
        handler = make()
        server.rejects["bad"] = "message is bad."

        log.info("good")
        log.info("bad")
        handler.flush()
        handler.flush()

        assert (handler.dropped, handler.pending) == (1, 0)
        assert server.messages == ["good", "1 log records were dropped before this one"]
        assert "message is bad." in str(spoken)

    def test_a_refusal_drops_what_it_refused(
        self, make: Make, log: logging.Logger, server: LogServiceServer, spoken: Spoken
    ) -> None:
        handler = make(batch=2)
        server.faults.append(Fault(403, code="Forbidden"))

        log.info("one")
        log.info("two")

        assert (handler.dropped, handler.pending, len(server.seen)) == (2, 0, 1)
        assert "refuses log records" in str(spoken)

    def test_a_record_refused_for_now_is_kept_for_later(
        self, make: Make, log: logging.Logger, server: LogServiceServer, time: Time, spoken: Spoken
    ) -> None:
        handler = make(batch=2)
        server.busy["two"] = 1

        log.info("one")
        log.info("two")
        kept = (handler.sent, handler.pending)
        time.moment += 100
        log.info("three")

        assert kept == (1, 1)
        assert server.messages == ["one", "two", "three"]
        assert "Too many writes" in str(spoken)

    def test_a_flush_takes_no_longer_than_it_may(
        self, make: Make, log: logging.Logger, server: LogServiceServer, time: Time, spoken: Spoken
    ) -> None:
        handler = make(LogClient(server.url, sign=False, options=time.options(attempts=99)), timeout=5.0)
        server.faults.extend([Fault(503)] * 99)
        log.info("one")

        handler.flush()

        assert time.moment < 5.0
        assert len(server.seen) > 2
        assert handler.pending == 1
        assert str(spoken)

    def test_a_silent_service_holds_a_flush_no_longer_than_its_time_out(
        self, make: Make, log: logging.Logger, server: LogServiceServer, spoken: Spoken
    ) -> None:
        handler = make(LogClient(server.url, sign=False), timeout=0.2)
        silence = threading.Event()

        def be_silent() -> None:
            silence.wait(10)

        server.when(1, be_silent)
        log.info("one")

        handler.flush()
        waiting = handler.pending
        silence.set()

        assert waiting == 1
        assert "timed out" in str(spoken)

    def test_missing_credentials_are_told_and_the_records_kept(
        self, make: Make, log: logging.Logger, server: LogServiceServer, spoken: Spoken
    ) -> None:
        class Session:
            def get_credentials(self) -> None:
                return None

        handler = make(LogClient(server.url, credentials=Session(), region="eu-west-1"), batch=1)

        log.info("one")

        assert handler.pending == 1
        assert "no AWS credentials found" in str(spoken)

    def test_nothing_is_said_when_logging_is_told_to_raise_nothing(
        self, make: Make, log: logging.Logger, nowhere: str, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logging, "raiseExceptions", False)
        make(LogClient(nowhere, sign=False), batch=1)

        log.info("one")

        assert not str(spoken)


class TestProcess:
    def test_a_forked_child_sends_its_own_records_only(
        self, make: Make, log: logging.Logger, server: LogServiceServer
    ) -> None:
        handler = make()
        log.info("before")
        handler.flush()
        log.info("parent")

        code = f"""
import logging, os
from log_client import LogClient, LogServiceHandler
handler = LogServiceHandler(LogClient({server.url!r}, sign=False), "billing")
log = logging.getLogger(); log.addHandler(handler)
log.warning("first"); handler.flush(); log.warning("of parent")
child = os.fork()
log.warning("of child" if child == 0 else "of parent too")
logging.shutdown()
if child == 0: os._exit(0)
os.waitpid(child, 0)
"""
        subprocess.run([sys.executable, "-c", code], check=True, timeout=30)  # noqa: S603 - our own code

        assert sorted(server.messages) == ["before", "first", "of child", "of parent", "of parent too"]
        assert server.writes == 5

    def test_the_first_flush_may_be_at_exit_and_no_thread_is_started(self, server: LogServiceServer) -> None:
        code = f"""
import atexit, logging, sys, threading
before = set(sys.modules)
import log_client
assert not {{"botocore", "boto3", "urllib3", "common"}} & set(sys.modules), "importing is not light"
logging.getLogger().addHandler(log_client.LogServiceHandler({server.url!r}, "billing"))
logging.getLogger().warning("last words")
start = threading.Thread.start
def never(self): raise SystemError("a thread was started")
threading.Thread.start = never
assert threading.active_count() == 1
"""
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-1"}
        done = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", code], env={**os.environ, **keys}, capture_output=True, timeout=30, check=False
        )

        assert (done.returncode, done.stderr) == (0, b"")
        assert server.messages == ["last words"]

    def test_exit_is_not_delayed_by_a_service_that_is_down(self, nowhere: str) -> None:
        code = f"""
import logging
from log_client import Buffering, LogClient, LogServiceHandler
client = LogClient({nowhere!r}, sign=False)
logging.getLogger().addHandler(LogServiceHandler(client, "billing", buffering=Buffering(timeout=0.3)))
logging.getLogger().warning("lost words")
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=10, check=False)  # noqa: S603

        assert done.returncode == 0
        assert b"1 log records were lost at exit" in done.stderr


class Context:
    """Lambda's context of an invocation that has this long to go."""

    def __init__(self, milliseconds: int) -> None:
        self._left = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._left


class TestLambda:
    def test_the_records_of_an_invocation_are_sent_at_its_end(
        self, make: Make, log: logging.Logger, server: LogServiceServer
    ) -> None:
        @flush_after(make())
        def handler(event: dict[str, str], _context: Context) -> str:
            log.info("handling %s", event["id"])
            return event["id"]

        assert handler({"id": "e1"}, Context(3_000)) == "e1"
        assert server.messages == ["handling e1"]

    def test_they_are_sent_after_an_exception_too(
        self, make: Make, log: logging.Logger, server: LogServiceServer
    ) -> None:
        @flush_after(make())
        def handler(_event: object, _context: object) -> None:
            log.info("failing")
            raise KeyError("x")

        with pytest.raises(KeyError):
            handler({}, None)

        assert server.messages == ["failing"]

    def test_the_flush_ends_before_the_invocation_does(
        self, make: Make, log: logging.Logger, server: LogServiceServer, time: Time, spoken: Spoken
    ) -> None:
        server.faults.extend([Fault(503)] * 9)
        handler = flush_after(make(timeout=5.0))(lambda _event, _context: log.info("x"))

        handler({}, Context(1_000))

        assert 0 < time.moment < 0.8
        assert str(spoken)

    def test_it_serves_as_chalice_middleware_and_as_a_context(
        self, make: Make, log: logging.Logger, server: LogServiceServer
    ) -> None:
        flushing = flush_after(make())

        def get_response(event: str) -> str:
            log.info("in %s", event)
            return "answer"

        answer = flushing.middleware("event", get_response)
        with flushing:
            log.info("in a block")

        assert answer == "answer"
        assert server.messages == ["in event", "in a block"]
