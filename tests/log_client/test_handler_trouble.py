"""LogServiceHandler when log_service fails: what it keeps, drops and tells, and that the program never notices."""

import logging
import threading

import pytest

from log_client import LogClient
from tests.fakes.log_service_server import Fault, LogServiceServer

from .conftest import Make, Spoken, Time


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

    @pytest.mark.parametrize("fault", [Fault(drop="after"), Fault(503)])
    def test_records_come_in_order_after_an_outage(
        self, fault: Fault, make: Make, log: logging.Logger, server: LogServiceServer, time: Time, spoken: Spoken
    ) -> None:
        handler = make(batch=2)
        server.faults.append(fault)

        for number in range(6):
            log.info("%d", number)
        time.moment += 100
        log.info("6")

        assert server.messages == [str(number) for number in range(7)]
        assert [record["message"] for record in server.stored.values()] == server.messages
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

        handler = make(LogClient(server.url, credentials=Session(), region="eu-west-1", sign=True), batch=1)

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
