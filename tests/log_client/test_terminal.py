"""`recent` and `tail` as processes: filters, colours and the safety of the reader's terminal."""

import json
import select
import signal
import subprocess

import pytest

from tests.fakes.log_service_server import LogServiceServer

from .test_client import stored
from .test_command_line import COMMAND, ENVIRONMENT, run


class TestReading:
    def test_recent_is_plain_in_a_pipe_and_newest_first(self, server: LogServiceServer) -> None:
        server.put(stored(1), stored(2, "ERROR"))

        done = run(server, "recent", "--no-sign")

        assert done.stdout.decode().splitlines() == [
            "2026-11-21T12:00:00.000002Z ERROR billing application  m2",
            "2026-11-21T12:00:00.000001Z INFO  billing application  m1",
        ]

    def test_colour_is_there_when_asked_for(self, server: LogServiceServer) -> None:
        server.put(stored(1, "ERROR"))

        assert b"\x1b[31mERROR\x1b[0m" in run(server, "recent", "--no-sign", "--color", "always").stdout

    def test_limit_and_all_count_records_over_pages(self, server: LogServiceServer) -> None:
        server.put(*[stored(number) for number in range(1_200)])

        assert run(server, "recent", "--no-sign").stdout.count(b"\n") == 100
        assert run(server, "recent", "--no-sign", "--limit", "1100").stdout.count(b"\n") == 1_100
        assert run(server, "recent", "--no-sign", "--all").stdout.count(b"\n") == 1_200

    def test_filters_are_passed_on_and_grep_is_applied_here(self, server: LogServiceServer) -> None:
        server.put(stored(1, "WARN"), stored(2, "ERROR"), stored(3, "INFO"), stored(12, "ERROR"))

        warnings = run(server, "recent", "--no-sign", "--level", "warn", "--level", "ERROR", "--json").stdout
        twos = run(server, "recent", "--no-sign", "--grep", "2$", "--min-level", "WARN", "--limit", "1").stdout

        assert [json.loads(line)["message"] for line in warnings.splitlines()] == ["m12", "m2", "m1"]
        assert twos.count(b"\n") == 1

    @pytest.mark.parametrize("arguments", [(), ("--json",), ("--color", "always"), ("--metadata",)])
    def test_a_record_cannot_play_with_the_terminal(self, arguments: tuple[str, ...], server: LogServiceServer) -> None:
        evil = "\x1b]0;owned\x07\x9b31m\r\x08 \u202egnp.exe\u2028\x00\x7f\nline two"
        server.put({**stored(1), "message": evil, "service_name": "s\x1b[2J", "metadata": {"k\x1b": "\x9b"}})

        text = run(server, "recent", "--no-sign", *arguments).stdout.decode()

        shown = text.replace("\x1b[32m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
        assert not {"\x1b", "\x07", "\x9b", "\r", "\x08", "\u202e", "\u2028", "\x00", "\x7f"} & set(shown)
        assert "owned" in shown
        if "--json" in arguments:
            assert json.loads(text)["message"] == evil
        else:
            assert "\n    | line two" in shown

    def test_a_locale_without_unicode_is_no_error(self, server: LogServiceServer) -> None:
        server.put({**stored(1), "message": "漢"})

        done = run(server, "recent", "--no-sign", env={"PYTHONIOENCODING": "ascii"})

        assert b"\\u6f22" in done.stdout

    def test_a_reader_that_has_seen_enough_ends_it_quietly(self, server: LogServiceServer) -> None:
        server.put(*[stored(number) for number in range(1_000)])
        with subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, "recent", "--no-sign", "--all", "--metadata", "--endpoint", server.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
        ) as process:
            assert process.stdout
            assert process.stderr
            process.stdout.readline()
            process.stdout.close()
            said = process.stderr.read()

        assert (process.returncode, said) == (0, b"")

    def test_tail_follows_until_interrupted_and_ends_quietly(self, server: LogServiceServer) -> None:
        server.put(stored(0))
        server.when(2, lambda: server.put(stored(1), stored(2)))
        with subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, "tail", "--no-sign", "--json", "--endpoint", server.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
        ) as process:
            assert process.stdout
            assert process.stderr
            assert select.select([process.stdout], [], [], 20)[0]
            found = [json.loads(process.stdout.readline())["message"] for _ in range(2)]
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()

        assert found == ["m1", "m2"]
        assert (process.returncode, said) == (0, b"")
