"""LogClient against a real loopback server: signatures, batches, repetition, pages and the tail."""

from itertools import islice
from typing import Any

import pytest
from botocore.credentials import Credentials

from log_client import LogClient, MissingCredentials, Refused, Rejection, Unavailable
from log_client.signing import Signer
from tests.fakes.log_service_server import Fault, LogServiceServer

from .conftest import Time


def line(message: str, **more: object) -> dict[str, Any]:
    return {"service_name": "billing", "log_type": "application", "level": "INFO", "message": message, **more}


def stored(number: int, level: str = "INFO") -> dict[str, Any]:
    return line(f"m{number}", level=level, timestamp=f"2026-11-21T12:00:00.{number:06d}Z", log_id=f"id-{number}")


class TestSend:
    def test_records_come_out_in_the_order_in_which_they_went_in(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        messages = [f"line {number}" for number in range(50)]

        report = client.send(line(message) for message in messages)

        assert (report.sent, report.duplicates, report.rejected) == (50, 0, ())
        assert server.messages == messages

    def test_missing_identity_is_added_and_given_identity_is_kept(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        client.send([line("a"), line("b", log_id="mine", timestamp="2026-11-21T00:00:00Z")])

        first, second = server.stored.values()
        assert first["timestamp"] == "2026-11-18T12:00:00.000000Z"
        assert len(first["log_id"]) == 36
        assert (second["log_id"], second["timestamp"]) == ("mine", "2026-11-21T00:00:00Z")

    def test_more_than_a_thousand_records_take_several_requests_over_one_connection(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        report = client.send(line(str(number)) for number in range(2_500))

        assert report.sent == 2_500
        assert len(server.seen) == 3
        assert len({request.connection for request in server.seen}) == 1

    def test_a_request_is_never_larger_than_the_service_takes(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        report = client.send(line("é" * 30_000 + str(number)) for number in range(150))

        assert report.sent == 150
        assert len(server.seen) == 3

    def test_what_is_worth_compressing_is_sent_as_gzip(self, client: LogClient, server: LogServiceServer) -> None:
        client.send([line("x" * 5_000)])
        client.send([line("short")])

        assert [request.headers.get("content-encoding") for request in server.seen] == ["gzip", None]
        assert len(server.seen[0].body) < 500

    def test_bad_records_are_reported_and_do_not_stop_the_others(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        server.rejects["bad"] = "message is bad."

        report = client.send([line("a"), line("bad"), line("b", metadata={"x": float("nan")}), line("c")])

        assert report.sent == 2
        assert {rejection.index for rejection in report.rejected} == {1, 2}
        assert Rejection(1, "message is bad.") in report.rejected

    def test_a_batch_of_bad_records_only_is_a_report_not_an_error(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        server.rejects["bad"] = "message is bad."

        report = client.send([line("bad"), line("bad")])

        assert [rejection.error for rejection in report.rejected] == ["message is bad."] * 2

    def test_a_record_that_no_request_can_carry_is_rejected_here(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        report = client.send([line("x" * 5_000_000), line("lone \ud800"), line("fine")])

        assert report.sent == 1
        assert [rejection.index for rejection in report.rejected] == [0, 1]
        assert server.messages == ["fine"]

    def test_nothing_to_send_makes_no_request(self, client: LogClient, server: LogServiceServer) -> None:
        assert client.send([]).sent == 0
        assert server.seen == []

    def test_a_smaller_limit_on_the_way_is_met_by_smaller_requests(
        self, client: LogClient, server: LogServiceServer
    ) -> None:
        server.faults.extend([Fault(413, html=True), Fault(), Fault(413, html=True)])

        report = client.send(line(str(number)) for number in range(4))

        assert report.sent == 4
        assert server.messages == ["0", "1", "2", "3"]


class TestSignature:
    def test_requests_are_signed_for_execute_api(self, credentials: Credentials) -> None:
        with LogServiceServer(credentials=credentials, prefix="/prod") as server:
            client = LogClient(f"{server.url}/", credentials=credentials, region="eu-west-1")

            client.send([line("x" * 3_000)])
            found = list(
                client.recent(service_name="billing", level=["INFO", "WARN"], since="2026-01-01T00:00:00+02:00")
            )
            client.close()

        assert len(found) == 1
        assert server.seen[0].headers["x-amz-security-token"] == "session-token"

    def test_a_wrong_secret_is_refused(self, credentials: Credentials) -> None:
        wrong = Credentials("AKIDEXAMPLE", "guess")
        with LogServiceServer(credentials=credentials) as server:
            client = LogClient(server.url, credentials=wrong, region="eu-west-1")
            with pytest.raises(Refused, match="does not match"):
                client.send([line("a")])
            client.close()

    def test_missing_credentials_are_named(self, server: LogServiceServer) -> None:
        class Session:
            region_name = "eu-west-1"

            def get_credentials(self) -> None:
                return None

        with pytest.raises(MissingCredentials, match="AWS_ACCESS_KEY_ID") as caught:
            LogClient(server.url, credentials=Session(), sign=True).send([line("a")])

        assert len(caught.value.unsent) == 1
        assert server.seen == []

    def test_the_region_is_read_off_the_gateways_address(self, credentials: Credentials) -> None:
        headers = Signer(credentials).signed("GET", "https://a1.execute-api.ap-south-2.amazonaws.com/prod/x", {}, b"")

        assert "/ap-south-2/execute-api/aws4_request" in headers["Authorization"]

    @pytest.mark.parametrize(
        "address", ["", "127.0.0.1:8002", "ftp://host", "http://", "http://a:b@host", "http://h?x=1"]
    )
    def test_an_address_that_is_none_is_refused_at_once(self, address: str) -> None:
        with pytest.raises(ValueError, match="http://"):
            LogClient(address)


class TestReading:
    def test_recent_walks_all_pages_newest_first(self, client: LogClient, server: LogServiceServer) -> None:
        server.put(*[stored(number) for number in range(25)])

        found = [record["message"] for record in client.recent(limit=10)]

        assert found == [f"m{number}" for number in reversed(range(25))]
        assert len(server.seen) == 3

    def test_recent_reads_no_page_that_nobody_wants(self, client: LogClient, server: LogServiceServer) -> None:
        server.put(*[stored(number) for number in range(25)])

        assert len(list(islice(client.recent(limit=10), 5))) == 5
        assert len(server.seen) == 1

    def test_filters_reach_the_service(self, client: LogClient, server: LogServiceServer) -> None:
        server.put(stored(1, "DEBUG"), stored(2, "WARN"), stored(3, "ERROR"))

        assert [record["message"] for record in client.recent(level=["WARN", "DEBUG"])] == ["m2", "m1"]
        assert [record["message"] for record in client.recent(min_level="ERROR")] == ["m3"]
        assert list(client.recent(service_name="other")) == []

    def test_an_invalid_filter_is_refused_with_details(self, client: LogClient) -> None:
        with pytest.raises(Refused, match="hours: not with since") as caught:
            list(client.recent(hours=1, since="2026-01-01T00:00:00Z"))

        assert caught.value.details[0]["field"] == "hours"

    def test_services_are_listed(self, client: LogClient, server: LogServiceServer) -> None:
        server.put(stored(1))

        assert client.services() == [{"service_name": "billing"}]

    def test_tail_begins_now_and_loses_and_repeats_nothing_over_failures(
        self, client: LogClient, server: LogServiceServer, time: Time
    ) -> None:
        server.put(stored(0))
        first = client.tail_page(wait=0).cursor
        tail = client.tail(cursor=first)

        server.put(stored(1), stored(2))
        found = [next(tail)["message"], next(tail)["message"]]
        server.faults.extend([Fault(drop="after"), Fault(drop="before"), *[Fault(503)] * 9])
        server.put(stored(3))
        found.append(next(tail)["message"])
        server.put(stored(4))
        found.append(next(tail)["message"])

        assert found == ["m1", "m2", "m3", "m4"]
        assert len(time.pauses) > 4

    def test_tail_takes_its_place_before_it_waits(self, client: LogClient, server: LogServiceServer) -> None:
        server.faults.extend([Fault(), Fault(drop="after")])
        server.when(2, lambda: server.put(stored(1)))
        tail = client.tail()

        assert next(tail)["message"] == "m1"
        assert "wait=0" in server.seen[0].target

    def test_a_tail_of_a_service_that_never_answered_is_an_error(self, nowhere: str, time: Time) -> None:
        client = LogClient(nowhere, sign=False, options=time.options())

        with pytest.raises(Unavailable):
            next(client.tail())
