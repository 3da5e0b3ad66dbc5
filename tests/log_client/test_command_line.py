"""`python -m log_client` as a process: exit statuses, exact lines, order, colours and the reader's terminal."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from log_client.intake import guessed_level
from tests.fakes.log_service_server import Fault, LogServiceServer

COMMAND = [sys.executable, "-m", "log_client"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOG_SERVICE"))}
SEND = ("send", "--no-sign", "--service", "billing")


def run(
    server: LogServiceServer | str, *arguments: str, given: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    url = server if isinstance(server, str) else server.url
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        env={**ENVIRONMENT, "LOG_SERVICE_URL": url, "AWS_EC2_METADATA_DISABLED": "true", **(env or {})},
    )


def levels(server: LogServiceServer) -> list[str]:
    return [record["level"] for record in server.in_order()]


class TestSend:
    def test_two_thousand_lines_with_any_line_end_arrive_exactly_and_in_order(
        self, server: LogServiceServer, tmp_path: Path
    ) -> None:
        lines = [f"Dec 10 06:55:{number:04d} sshd[{number}]:\tüser\x1b[31m  two  spaces " for number in range(2_000)]
        path = tmp_path / "ssh.log"
        path.write_bytes("\r\n".join(lines).encode())

        done = run(server, *SEND, str(path))

        assert (done.returncode, done.stdout) == (0, b"sent 2000, duplicates 0, rejected 0\n")
        assert server.messages == lines
        assert done.stderr == b""

    def test_standard_input_is_the_default(self, server: LogServiceServer) -> None:
        done = run(server, *SEND, given=b"one\ntwo\n")

        assert done.returncode == 0
        assert server.messages == ["one", "two"]

    def test_several_files_come_one_after_the_other(self, server: LogServiceServer, tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).write_text(f"{name}1\n{name}2\n")

        run(server, *SEND, str(tmp_path / "b"), "-", str(tmp_path / "a"), given=b"in\n")

        assert server.messages == ["b1", "b2", "in", "a1", "a2"]

    def test_stack_traces_are_one_record_unless_lines_are_wanted(self, server: LogServiceServer) -> None:
        python = "ERROR failed\nTraceback (most recent call last):\n  File x\n    y = 1\nValueError: bad"
        java = "java.lang.X: boom\n\tat a.b\nCaused by: java.lang.Y\n\tat c.d"
        text = f"{python}\nINFO next\n{java}\n".encode()

        joined = run(server, *SEND, given=text)
        messages = server.messages
        server.stored.clear()
        single = run(server, *SEND, "--lines", given=text)

        assert messages == [python, "INFO next", java]
        assert joined.stdout.startswith(b"sent 3,")
        assert server.messages == text.decode().splitlines()
        assert single.stdout.startswith(b"sent 10,")

    def test_blank_lines_are_skipped_and_counted_and_end_a_record(self, server: LogServiceServer) -> None:
        done = run(server, *SEND, given=b"\none\n \n\n  indented\n")

        assert server.messages == ["one", "  indented"]
        assert done.stdout == b"sent 2, duplicates 0, rejected 0, blank lines skipped 3\n"

    def test_undecodable_bytes_are_replaced_and_counted(self, server: LogServiceServer) -> None:
        done = run(server, *SEND, given=b"caf\xe9\nfine\nnul\0\n")

        assert server.messages == ["caf\ufffd", "fine", "nul\ufffd"]
        assert b"with undecodable bytes 2" in done.stdout

    def test_a_line_longer_than_a_message_may_be_is_rejected_and_the_others_are_sent(
        self, server: LogServiceServer
    ) -> None:
        done = run(
            server, *SEND, given=b"a\n" + b"x" * 65_536 + b"\n" + b"y" * 65_537 + b"\n" + b"z" * 900_000 + b"\nb\n"
        )

        assert done.returncode == 1
        assert [len(message) for message in server.messages] == [1, 65_536, 1]
        assert b"rejected standard input:3: the line is longer than 65536 bytes" in done.stderr
        assert b"sent 3, duplicates 0, rejected 2" in done.stdout

    @pytest.mark.parametrize(
        ("line", "level"),
        [
            ("2015-07-29 17:41:44,747 - WARN  [QuorumPeer] - Interrupted", "WARN"),
            ("081109 203615 148 INFO dfs.DataNode: Receiving block", "INFO"),
            ("- 1117838570 2005.06.03 R02-M1-N0 2005-06-03-15.42.50.675872 R02 RAS KERNEL FATAL data error", "FATAL"),
            ("ERROR:root:it failed", "ERROR"),
            ("[Sun Dec 04 04:47:44 2005] [error] mod_jk child", "ERROR"),
            ("ts=2026-01-01 level=warning msg=x", "WARN"),
            ("CRITICAL disk full", "FATAL"),
            ("An ERROR was seen by a person", "INFO"),
            ("everything fine, no error", "INFO"),
        ],
    )
    def test_the_level_is_read_off_its_usual_place_and_the_message_is_kept(self, line: str, level: str) -> None:
        assert (guessed_level(line) or "INFO") == level

    def test_a_level_given_holds_for_all_lines(self, server: LogServiceServer) -> None:
        run(server, *SEND, "--level", "warning", given=b"ERROR a\nb\n")
        run(server, *SEND, "--level", "DEBUG", "--guess-level", given=b"ERROR c\nd\n")
        run(server, *SEND, "--no-guess-level", given=b"ERROR e\n")

        assert levels(server) == ["WARN", "WARN", "ERROR", "DEBUG", "INFO"]

    def test_ndjson_is_recognised_and_a_bad_line_does_not_stop_it(self, server: LogServiceServer) -> None:
        records = [{"message": "a", "level": "ERROR", "metadata": {"n": 1}}, {"message": "b", "service_name": "other"}]
        text = "\n".join([json.dumps(records[0]), "{broken", '{"message": NaN}', json.dumps(records[1])])

        done = run(server, *SEND, given=text.encode())

        first, second = server.in_order()
        assert (first["metadata"], first["level"], first["service_name"]) == ({"n": 1}, "ERROR", "billing")
        assert (second["level"], second["service_name"]) == ("INFO", "other")
        assert done.returncode == 1
        assert b"rejected standard input:2: is not JSON" in done.stderr
        assert b"sent 2, duplicates 0, rejected 2" in done.stdout

    def test_text_that_looks_like_json_can_be_sent_as_text(self, server: LogServiceServer) -> None:
        run(server, *SEND, "--format", "text", given=b'{"message": "x"}\n')

        assert server.messages == ['{"message": "x"}']

    def test_rejections_of_the_service_name_the_line(self, server: LogServiceServer) -> None:
        server.rejects["bad"] = "message is bad."

        done = run(server, *SEND, given=b"good\n" + b"bad\n" * 20)

        assert done.returncode == 1
        assert b"rejected standard input:2: message is bad." in done.stderr
        assert done.stderr.endswith(b"... and 10 more\n")

    def test_the_summary_may_be_json(self, server: LogServiceServer) -> None:
        done = run(server, *SEND, "--json", given=b"a\n\n")

        totals = json.loads(done.stdout)
        assert (totals["sent"], totals["rejected"], totals["blank_lines_skipped"]) == (1, 0, 1)

    def test_lines_of_a_pipe_that_stays_open_are_sent_meanwhile(self, server: LogServiceServer) -> None:
        with subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, *SEND, "--endpoint", server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
        ) as process:
            assert process.stdin
            process.stdin.write(b"now\n")
            process.stdin.flush()
            with server.changed:
                arrived = server.changed.wait_for(lambda: bool(server.stored), timeout=20)
            process.communicate(timeout=20)

        assert arrived
        assert server.messages == ["now"]


class TestTrouble:
    def test_an_outage_in_the_middle_is_waited_out_and_leaves_each_line_once(self, server: LogServiceServer) -> None:
        lines = [f"line {number}" for number in range(1_500)]
        server.faults.extend([Fault(drop="after"), Fault(503), Fault(), Fault(drop="after"), Fault(drop="before")])

        done = run(server, *SEND, given="\n".join(lines).encode())

        assert (done.returncode, done.stdout) == (0, b"sent 1500, duplicates 0, rejected 0\n")
        assert server.messages == lines

    def test_nobody_listening_is_status_3_and_names_the_address_and_make_up(self, nowhere: str) -> None:
        for arguments in (("recent", "--no-sign"), ("tail", "--no-sign"), SEND):
            done = run(nowhere, *arguments, given=b"x\n")

            assert done.returncode == 3
            assert nowhere.encode() in done.stderr
            assert b"make up" in done.stderr
            assert b"Traceback" not in done.stderr

    def test_a_stopped_send_names_the_line(self, nowhere: str) -> None:
        done = run(nowhere, *SEND, given=b"a\nb\n")

        assert b"stopped at standard input:1" in done.stderr
        assert done.stdout == b"sent 0, duplicates 0, rejected 0\n"

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("send",),
            ("send", "--service", "-bad-"),
            ("send", "--service", "x", "/no/such/file"),
            ("recent", "--limit", "0"),
            ("recent", "--level", "LOUD"),
            ("recent", "--hours", "1", "--since", "1h"),
            ("recent", "--grep", "("),
            ("recent", "--endpoint", "nonsense"),
        ],
    )
    def test_wrong_usage_is_status_2(self, arguments: tuple[str, ...], server: LogServiceServer) -> None:
        done = run(server, *arguments)

        assert done.returncode == 2
        assert b"Traceback" not in done.stderr

    def test_missing_credentials_are_said_to_be_missing(self, server: LogServiceServer) -> None:
        done = run(server, "recent", "--sign", "--region", "eu-west-1", env={"HOME": "/nonexistent"})

        assert done.returncode == 2
        assert b"no AWS credentials found" in done.stderr
        assert b"--no-sign" in done.stderr

    def test_an_address_on_this_machine_is_asked_unsigned_without_credentials(self, server: LogServiceServer) -> None:
        done = run(server, "recent", "--region", "eu-west-1", env={"HOME": "/nonexistent"})

        assert b"no AWS credentials found" not in done.stderr

    def test_a_refusal_is_status_1_and_tells_why(self, server: LogServiceServer) -> None:
        server.faults.append(Fault(403, code="Forbidden"))

        done = run(server, "recent", "--no-sign")

        assert done.returncode == 1
        assert b"403 Forbidden: Told to fail" in done.stderr
