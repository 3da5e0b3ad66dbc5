"""LogServiceHandler over the life of a process: fork, exit and the invocations of a Lambda function."""

import logging
import os
import subprocess
import sys

import pytest

from log_client import flush_after
from tests.fakes.log_service_server import Fault, LogServiceServer

from .conftest import Make, Spoken, Time


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
