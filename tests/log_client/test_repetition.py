"""What LogClient sends again, when, and what it leaves at the first refusal."""

import json

import pytest

from log_client import LogClient, Refused, Unavailable
from log_client.answers import seconds_of
from tests.fakes.log_service_server import Fault, LogServiceServer

from .conftest import NOON, Time
from .test_client import line


class TestRepetition:
    def test_a_connection_lost_after_the_commit_leaves_each_record_once(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        server.faults.append(Fault(drop="after"))

        report = client.send([line("a"), line("b")])

        assert (report.sent, report.attempts) == (2, 2)
        assert server.writes == 4
        assert server.messages == ["a", "b"]

    def test_a_connection_closed_while_idle_costs_no_pause(
        self, client: LogClient, server: LogServiceServer, time: Time
    ) -> None:
        client.send([line("a")])
        server.faults.append(Fault(drop="before"))

        client.send([line("b")])

        assert server.messages == ["a", "b"]
        assert time.pauses == []

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_a_passing_failure_is_tried_again_after_a_pause_that_grows(
        self, status: int, client: LogClient, server: LogServiceServer, time: Time
    ) -> None:
        server.faults.extend([Fault(status), Fault(status)])

        client.send([line("a")])

        assert time.pauses == [0.25, 0.5]
        assert server.messages == ["a"]

    def test_retry_after_in_seconds_or_as_a_date_is_honoured(
        self, client: LogClient, server: LogServiceServer, time: Time
    ) -> None:
        server.faults.extend([Fault(503, retry_after="7"), Fault(429, retry_after="Wed, 18 Nov 2026 12:00:20 GMT")])

        client.send([line("a")])

        assert time.pauses == [7.0, 13.0]

    @pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-5", "Wed, 99 Nov 2026 99:00:20 GMT"])
    def test_a_retry_after_that_says_nothing_is_no_pause(self, text: str) -> None:
        assert seconds_of(text, NOON) == 0

    def test_a_pause_longer_than_the_time_left_is_not_begun(
        self, client: LogClient, server: LogServiceServer, time: Time
    ) -> None:
        server.faults.append(Fault(503, retry_after="3600"))

        with pytest.raises(Unavailable) as caught:
            client.send([line("a")])

        assert (caught.value.status, caught.value.retry_after, time.pauses) == (503, 3600.0, [])

    def test_attempts_are_bounded_and_the_error_holds_what_was_not_sent(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        server.faults.extend([Fault(), *[Fault(503)] * 4])

        with pytest.raises(Unavailable) as caught:
            client.send(line(str(number)) for number in range(1_500))

        assert caught.value.report.sent == 1_000
        assert [record["message"] for record in caught.value.unsent] == [str(number) for number in range(1_000, 1_500)]
        assert client.send(caught.value.unsent).sent == 500
        assert server.messages == [str(number) for number in range(1_500)]

    def test_only_records_that_may_be_taken_later_are_sent_again(
        self, client: LogClient, server: LogServiceServer, time: Time
    ) -> None:
        server.busy["b"] = 2

        report = client.send([line("a"), line("b"), line("c")])

        assert report.sent == 3
        assert [len(json.loads(request.body)["logs"]) for request in server.seen] == [3, 1, 1]
        assert time.pauses == [0.25, 0.5]

    def test_what_is_never_taken_is_an_error_in_the_end(self, client: LogClient, server: LogServiceServer) -> None:
        server.busy["b"] = 99

        with pytest.raises(Unavailable, match="1 of 1 records were not taken: Too many writes") as caught:
            client.send([line("a"), line("b")])

        assert [record["message"] for record in caught.value.unsent] == ["b"]

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    def test_a_refusal_is_not_tried_again(self, status: int, client: LogClient, server: LogServiceServer) -> None:
        server.faults.append(Fault(status, code="Nope"))

        with pytest.raises(Refused) as caught:
            client.send([line("a")])

        refused = caught.value
        assert (refused.status, refused.code, refused.error) == (status, "Nope", "Told to fail")
        assert refused.request_id == "req-1"
        assert len(server.seen) == 1

    def test_a_page_of_html_is_no_answer(self, client: LogClient, server: LogServiceServer) -> None:
        server.faults.extend([Fault(503, html=True), Fault(200, html=True)])

        assert client.send([line("a")]).attempts == 3

    def test_the_wrong_address_says_so(self, client: LogClient, server: LogServiceServer) -> None:
        server.faults.append(Fault(404, html=True))

        with pytest.raises(Refused, match="is this its address"):
            list(client.recent())

    def test_nobody_listening_names_the_address(self, nowhere: str, time: Time) -> None:
        client = LogClient(nowhere, sign=False, options=time.options())

        with pytest.raises(Unavailable, match=nowhere):
            client.services()

        assert len(time.pauses) == 3
