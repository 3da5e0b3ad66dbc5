"""A DynamoDB that answers at once from memory, in a process of its own: only the client's CPU is measured."""

import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

from bench.application import REPOSITORY
from bench.records import COLUMNS, entry, log_id

HOST = "127.0.0.1"
SHARDS = 4
PAGE = 1000
STORED = 2 * PAGE
PLAIN_PARTITION = "plain"
EMPTY = {"PutItem": b"{}", "BatchWriteItem": b'{"UnprocessedItems":{}}'}

type Rows = list[tuple[str, bytes]]


@contextmanager
def canned_dynamodb() -> Iterator[str]:
    """Run one; answers its endpoint."""
    command = [sys.executable, "-m", "bench.canned"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:  # noqa: S603
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        try:
            yield f"http://{HOST}:{port}"
        finally:
            server.terminate()


def item(number: int, instant_us: int) -> dict[str, dict[str, str]]:
    """A record as a Query answers it."""
    sent = entry(number)
    seconds, micros = divmod(instant_us, 1_000_000)
    values = {
        **sent,
        "sk": f"{instant_us:016d}#{number:032x}",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{micros:06d}Z",
        "log_id": log_id(number),
        "metadata": json.dumps(sent["metadata"], separators=(",", ":"), sort_keys=True),
    }
    return {name: {"S": values[name]} for name in COLUMNS}


def partitions() -> dict[str, Rows]:
    """The stored records by partition, newest first: over the shards of today, and all in one for the yardstick."""
    newest = time.time_ns() // 1000
    day = time.strftime("%Y%m%d", time.gmtime(newest // 1_000_000))
    made: dict[str, Rows] = {name: [] for name in (PLAIN_PARTITION, *(f"{day}#{shard}" for shard in range(SHARDS)))}
    for number in range(STORED):
        stored = item(number, newest - number * 1000)
        row = (stored["sk"]["S"], json.dumps(stored, separators=(",", ":")).encode())
        made[PLAIN_PARTITION].append(row)
        made[f"{day}#{zlib.crc32(row[0].encode()) % SHARDS}"].append(row)
    return made


class Handler(BaseHTTPRequestHandler):
    """Answers the calls that the measured code makes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    stored = partitions()

    def do_POST(self) -> None:
        """One call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        answer = EMPTY.get(operation) or self._query(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("x-amz-crc32", str(zlib.crc32(answer)))
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _query(self, request: dict[str, Any]) -> bytes:
        values = request["ExpressionAttributeValues"]
        low, high = (values[name]["S"] if name in values else end for name, end in ((":low", ""), (":high", "~")))
        rows = [row for row in self.stored.get(values[":pk"]["S"], []) if low <= row[0] <= high]
        page = rows[: request["Limit"]]
        last = {"LastEvaluatedKey": {"sk": {"S": page[-1][0]}}} if len(page) < len(rows) else {}
        end = json.dumps({"Count": len(page), "ScannedCount": len(page), **last}).encode()
        return b'{"Items":[%b],%b' % (b",".join(text for _, text in page), end[1:])

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with ThreadingHTTPServer((HOST, 0), Handler) as listening:
        print(listening.server_address[1], flush=True)
        listening.serve_forever()
