"""LogServiceHandler inside a program: what it sends and when."""

import json
import logging
import threading

import pytest
from botocore.credentials import Credentials

from log_client import Buffering, LogClient, LogServiceHandler
from tests.fakes.log_service_server import LogServiceServer

from .conftest import Make, Time


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
