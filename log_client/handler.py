"""A `logging.Handler` that brings a program's log to log_service without ever standing in the program's way."""

import logging
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from .batches import Item, encoded
from .buffer import Buffer, Buffering
from .client import LogClient
from .conversion import record_of
from .delivery import Delivery
from .errors import LogClientError, Refused, Rejection, SendReport
from .options import Budget
from .records import checked_log_type, checked_service_name

OWN_LOGGERS = ("log_client", "urllib3", "botocore")
LONGEST_REST = 60.0  # seconds between two attempts while the service is down
NOTICE = -1  # the index of the record that tells of dropped ones
DEFAULTS = Buffering()


class LogServiceHandler(logging.Handler):
    """Buffers records and sends them in batches; starts no thread and raises nothing into the program.

    It sends while a record is logged, when the buffer holds a batch or something `interval` seconds old: one attempt,
    no sleep; after a failure it rests, up to 60 s, and keeps the records. `flush`, also at exit and by `flush_after`,
    tries again within `Buffering.timeout` seconds. When the buffer is full the oldest records are dropped. `sent` and
    `dropped` count; trouble is told once on stderr, and by a WARN record once records flow again. Other threads go on
    logging while one sends; a forked child starts with an empty buffer, for the parent sends its own.
    """

    def __init__(
        self,
        client: LogClient | str,
        service_name: str,
        *,
        log_type: str = "application",
        level: int | str = logging.NOTSET,
        buffering: Buffering = DEFAULTS,
    ) -> None:
        """`client` may be an endpoint's address. ValueError for names that log_service would refuse."""
        super().__init__(level)
        self.client = client if isinstance(client, LogClient) else LogClient(client)
        self._labels = (checked_service_name(service_name), checked_log_type(log_type))
        self.buffering = buffering
        self._told = False
        self._start_afresh()
        _alive.add(self)

    def _start_afresh(self) -> None:
        self.sent = 0
        self.dropped = 0
        self._unreported = 0
        self._failures = 0
        self._rests_until = 0.0
        self._given_up = False
        self._buffer = Buffer(self.buffering)
        self._guard = threading.RLock()  # of the counts and the buffer; never held while sending
        self._turn = threading.Lock()  # held by the one thread that sends
        self._here = threading.local()

    def handle(self, record: logging.LogRecord) -> bool:
        """As `logging.Handler.handle`, without holding the handler's lock while records are sent."""
        passed = self.filter(record)
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Buffer the record, and send what is due."""
        if self._is_own(record):
            return
        try:
            self._keep(record)
            self._send_if_due()
        except Exception as error:  # noqa: BLE001 - a program must not fail because its log does
            self._lose(1)
            self._tell(f"a record could not be logged: {error!r}")

    def flush(self, timeout: float | None = None) -> None:
        """Send all that is buffered, in at most `timeout` seconds (default: of `Buffering`); keep what fails."""
        total = self.buffering.timeout if timeout is None else timeout
        ends = self._now() + total
        if getattr(self._here, "sends", False) or not self._turn.acquire(timeout=max(0.0, total)):
            return
        try:
            self._send(ends, attempts=0)
        except Exception as error:  # noqa: BLE001 - as in emit
            self._tell(f"records could not be sent: {error!r}")
        finally:
            self._turn.release()

    def close(self) -> None:
        """Send what is left, unless a flush just failed to; what remains is dropped."""
        if len(self._buffer) and not self._given_up:
            self.flush()
        with self._guard:
            left, self._buffer = len(self._buffer), Buffer(self.buffering)
        self._lose(left)
        if left:
            self._told = False
            self._tell(f"{left} log records were lost at exit ({self.dropped} in all)")
        self.client.close()
        super().close()

    @property
    def pending(self) -> int:
        """How many records are buffered."""
        return len(self._buffer)

    def _now(self) -> float:
        return self.client.options.monotonic()

    def _is_own(self, record: logging.LogRecord) -> bool:
        own = any(record.name == name or record.name.startswith(f"{name}.") for name in OWN_LOGGERS)
        return own or getattr(self._here, "sends", False)

    def _keep(self, entry: logging.LogRecord, index: int = 0) -> None:
        item = encoded(index, record_of(entry, *self._labels))
        if isinstance(item, Rejection):
            raise ValueError(item.error)  # noqa: TRY004 - the value is at fault, not its type
        with self._guard:
            self._given_up = False
            self._lose(self._buffer.add(item, self._now()))

    def _send_if_due(self) -> None:
        now = self._now()
        with self._guard:
            due = now >= self._rests_until and self._buffer.due(now)
        if due and self._turn.acquire(blocking=False):
            try:
                self._send(now + self.buffering.timeout, attempts=1)
            finally:
                self._turn.release()

    def _send(self, ends: float, attempts: int) -> None:
        with self._sending():
            while (left := ends - self._now()) > 0:
                with self._guard:
                    batch = self._buffer.take()
                if not batch or not self._delivered(batch, Budget(self.client.options, attempts=attempts, total=left)):
                    return

    @contextmanager
    def _sending(self) -> Iterator[None]:
        self._here.sends = True
        try:
            yield
        finally:
            self._here.sends = False

    def _delivered(self, batch: list[Item], budget: Budget) -> bool:
        """Whether it is worth going on with the next batch."""
        delivery = Delivery(batch, budget)
        unsent: list[Item] | None = None
        try:
            delivery.run(self.client.post, self.client.options.now)
            unsent = []
        except Refused as error:
            unsent = []
            self._lose(len(delivery.pending))
            self._tell(f"{self.client.endpoint} refuses log records, which are dropped: {error}")
        except LogClientError as error:
            self._rest(getattr(error, "retry_after", 0.0))
            self._tell(f"{error}; up to {self.buffering.records} log records are kept, then the oldest are dropped")
        finally:  # also when the program is being interrupted
            self._account(delivery.report, delivery.pending if unsent is None else unsent)
        return unsent is not None

    def _account(self, report: SendReport, unsent: list[Item]) -> None:
        delivered = report.sent + report.duplicates
        with self._guard:
            self.sent += delivered
            lost = sum(rejection.index != NOTICE for rejection in report.rejected)
            self._lose(lost)
            self._lose(self._buffer.put_back(unsent, self._now()))
            if delivered and not unsent:
                self._recover()
        if lost:
            self._tell(f"log_service rejected a log record: {report.rejected[0].error}")

    def _recover(self) -> None:
        self._failures, self._rests_until, self._given_up = 0, 0.0, False
        if not self._unreported:
            return
        lost, self._unreported = self._unreported, 0
        text = f"{lost} log records were dropped before this one"
        notice = {"name": "log_client", "levelno": logging.WARNING, "levelname": "WARNING", "msg": text}
        counts = {"dropped": lost, "dropped_total": self.dropped}
        self._keep(logging.makeLogRecord({**notice, **counts}), NOTICE)

    def _rest(self, at_least: float) -> None:
        with self._guard:
            self._failures += 1
            self._given_up = True
            pause = min(LONGEST_REST, 2.0 ** min(self._failures, 10)) * (0.5 + self.client.options.jitter() / 2)
            self._rests_until = self._now() + max(at_least, pause)

    def _lose(self, count: int) -> None:
        with self._guard:
            self.dropped += count
            self._unreported += count

    def _tell(self, text: str) -> None:
        """Say it on stderr, once in the life of the handler."""
        if self._told or not logging.raiseExceptions or sys.stderr is None:
            return
        self._told = True
        try:
            sys.stderr.write(f"log_client: {text}\n")
        except (OSError, ValueError):  # closed, or full: there is nobody left to tell
            return


_alive: "weakref.WeakSet[LogServiceHandler]" = weakref.WeakSet()


def _after_fork() -> None:
    for handler in list(_alive):
        handler._start_afresh()  # noqa: SLF001 - the module's own class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
