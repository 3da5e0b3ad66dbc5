"""`send`: entries become requests, answers become counts, and the rejected ones are named."""

import dataclasses
import json
import sys
from typing import BinaryIO

from .batches import BATCH_RECORDS
from .client import LogClient
from .errors import LogClientError, SendReport
from .intake import Counts, Entry, Intake, entries
from .lines import Pause, lines_of
from .records import Record
from .terminal import escaped

LISTED = 10
CHUNK_BYTES = 1024 * 1024


class Sending:
    """The records of the request in the making, and the counts of those before."""

    def __init__(self, client: LogClient) -> None:
        self._client = client
        self._held: list[tuple[str, Record]] = []
        self._size = 0
        self._sent = 0
        self._duplicates = 0
        self.rejected = 0
        self._reasons: list[str] = []
        self._counts = Counts()

    def all_of(self, name: str, stream: BinaryIO, intake: Intake) -> None:
        """Send what the stream holds, a request at a time; at a pause, what there is."""
        for entry in entries(lines_of(stream), intake, self._counts):
            if isinstance(entry, Pause):
                self.deliver()
            elif entry.error:
                self._reject(f"{name}:{entry.number}", entry.error)
            else:
                self._hold(f"{name}:{entry.number}", entry)
        self.deliver()

    def deliver(self) -> None:
        """Send what is held; an error is told the line at which sending stopped."""
        held, self._held, self._size = self._held, [], 0
        if not held:
            return
        try:
            report = self._client.send(record for _, record in held)
        except LogClientError as error:
            self._count(held, error.report)
            first = error.unsent[0].get("log_id") if error.unsent else None
            stopped = next((place for place, record in held if record.get("log_id") == first), held[0][0])
            error.add_note(f"stopped at {stopped}: that line and those after it were not sent, or not surely")
            raise
        self._count(held, report)
        self._client.options = dataclasses.replace(self._client.options, attempts=30, total=300.0)  # it is there
        self._progress()

    def summarise(self, *, as_json: bool) -> None:
        """Print the counts; the first ten rejected lines go to stderr with their reasons."""
        for reason in self._reasons:
            print(f"rejected {reason}", file=sys.stderr)
        if self.rejected > len(self._reasons):
            print(f"... and {self.rejected - len(self._reasons)} more", file=sys.stderr)
        totals = {"sent": self._sent, "duplicates": self._duplicates, "rejected": self.rejected}
        more = {"blank lines skipped": self._counts.blank, "with undecodable bytes": self._counts.undecodable}
        if as_json:
            print(json.dumps({**totals, **{name.replace(" ", "_"): count for name, count in more.items()}}))
        else:
            shown = totals | {name: count for name, count in more.items() if count}
            print(", ".join(f"{name} {count}" for name, count in shown.items()))

    def _hold(self, place: str, entry: Entry) -> None:
        record = self._client.identified(entry.record)
        self._held.append((place, record))
        self._size += len(str(record.get("message", ""))) + len(str(record.get("metadata", "")))
        if len(self._held) == BATCH_RECORDS or self._size > CHUNK_BYTES:
            self.deliver()

    def _count(self, held: list[tuple[str, Record]], report: SendReport) -> None:
        self._sent += report.sent
        self._duplicates += report.duplicates
        for rejection in report.rejected:
            self._reject(held[rejection.index][0], rejection.error)

    def _reject(self, place: str, reason: str) -> None:
        self.rejected += 1
        if len(self._reasons) < LISTED:
            self._reasons.append(escaped(f"{place}: {reason}"))

    def _progress(self) -> None:
        if sys.stderr.isatty():
            print(f"\rsent {self._sent}", end="\r", file=sys.stderr, flush=True)
