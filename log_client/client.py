"""The client of log_service: send records, read the recent ones, follow the coming ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from .answers import Answer, Body
from .batches import Item, batches, body_of, encoded
from .delivery import Delivery
from .errors import LogClientError, Rejection, SendReport, Unavailable
from .options import Budget, Options
from .records import Record, Stamps, identified
from .signing import signs
from .transport import Call, Transport

TAIL_WAIT = 20  # seconds: the longest that log_service holds a poll back
DEFAULTS = Options()


@dataclass(frozen=True, slots=True)
class Page:
    """Some records and where to go on; `cursor` is None at the end of /logs/recent and never of /logs/tail."""

    logs: list[dict[str, Any]]
    cursor: str | None


class LogClient:
    """Speaks to the log_service at `endpoint`, such as `https://ID.execute-api.REGION.amazonaws.com/STAGE`.

    `credentials` is a boto3 or botocore session, or its credentials; without it botocore looks where it always looks.
    `region` is read off the endpoint, then off the session. `sign=False` sends unsigned; without it an address on this
    machine is signed only if there are credentials. Filters are those of
    log_service (`service_name`, `log_type`, `level`, `min_level`, `since`, ...); a list repeats a parameter. Every
    method raises Refused, Unavailable or MissingCredentials. Threads may share a client.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        credentials: object = None,
        region: str | None = None,
        sign: bool | None = None,
        options: Options = DEFAULTS,
    ) -> None:
        self.options = options
        self._transport = Transport(endpoint, signs(endpoint, credentials, region, sign=sign), options)
        self._stamps = Stamps(options.now)

    @property
    def endpoint(self) -> str:
        """The address of log_service."""
        return self._transport.endpoint.url

    def close(self) -> None:
        """Close idle connections; the client can still be used."""
        self._transport.close()

    def identified(self, record: Mapping[str, object]) -> Record:
        """The record as `send` sends it: with `log_id` and, later than every one given before, `timestamp`."""
        return identified(record, self._stamps)

    def send(self, records: Iterable[Mapping[str, object]]) -> SendReport:
        """Send all records, in order, in as many requests as they need, and say what became of them.

        Records that can never be taken are in the report, whatever the reason. On an error, its `report` and `unsent`
        tell the rest. All records are held in memory: call it once for every thousand of an endless stream.
        """
        taken = [self.identified(record) for record in records]
        coded = [encoded(index, record) for index, record in enumerate(taken)]
        report = SendReport(rejected=tuple(result for result in coded if isinstance(result, Rejection)))
        queue = list(batches(result for result in coded if isinstance(result, Item)))
        for position, batch in enumerate(queue):
            delivery = Delivery(batch, Budget(self.options))
            try:
                delivery.run(self.post, self.options.now)
            except LogClientError as error:
                left = [*delivery.pending, *(item for later in queue[position + 1 :] for item in later)]
                error.report = report + delivery.report
                error.unsent = [taken[item.index] for item in left]
                raise
            report += delivery.report
        return report

    def post(self, batch: Sequence[Item], within: float) -> Answer:
        """One attempt at one batch, in at most `within` seconds."""
        body, compressed = body_of(batch)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if compressed:
            headers["Content-Encoding"] = "gzip"
        return self._transport.exchange(Call("POST", "/logs/batch", body, headers), within)

    def recent(self, **filters: object) -> Iterator[dict[str, Any]]:
        """All records that match, newest first, page by page as they are consumed (`limit` is the page's)."""
        cursor: str | None = str(filters.pop("cursor")) if filters.get("cursor") else None
        while True:
            page = _page(self._get("/logs/recent", {**filters, "cursor": cursor}))
            yield from page.logs
            cursor = page.cursor
            if cursor is None:
                return

    def tail(self, **filters: object) -> Iterator[dict[str, Any]]:
        """The records that match from now on (or from `cursor`), oldest first, for ever; each of them once.

        A service that never answered is an error after the usual attempts; one that did is waited for without end.
        """
        wait = filters.pop("wait", TAIL_WAIT)
        page = self.tail_page(**filters, wait=0)  # so that a cursor marks the beginning before anything can fail
        while True:
            yield from page.logs
            page = self._patiently({**filters, "cursor": page.cursor, "wait": wait})

    def tail_page(self, **filters: object) -> Page:
        """One poll of /logs/tail; `wait` in seconds. For those who keep the cursor themselves."""
        seconds = float(str(filters.get("wait") or 0))
        return _page(self._get("/logs/tail", filters, seconds))

    def services(self) -> list[dict[str, Any]]:
        """The services seen in the last 24 hours: `service_name`, `first_seen`, `last_seen`, `levels`."""
        return _objects(self._get("/services", {}), "services")

    def _patiently(self, filters: dict[str, object]) -> Page:
        attempt = 0
        while True:
            try:
                return self.tail_page(**filters)
            except Unavailable as error:
                seconds = self.options.pause(attempt, max(error.retry_after, self.options.base))
                self.options.on_wait(str(error), seconds)
                self.options.sleep(seconds)
                attempt += 1

    def _get(self, path: str, filters: Mapping[str, object], wait: float = 0.0) -> Body:
        call = Call("GET", path + _query(filters), headers={"Accept": "application/json"}, wait=wait)
        budget = Budget(self.options, total=self.options.total + wait)
        while True:
            budget.spend()
            try:
                return self._transport.exchange(call, budget.remaining).understood(self.options.now())
            except Unavailable as error:
                if not (error.passing and budget.wait(str(error), error.retry_after)):
                    raise


def _query(filters: Mapping[str, object]) -> str:
    given = {name: value for name, value in filters.items() if value is not None}
    text = urlencode(given, doseq=True, quote_via=quote, safe="-_.~")
    return f"?{text}" if text else ""


def _page(body: Body) -> Page:
    cursor = body.get("nextCursor")
    return Page(_objects(body, "logs"), None if cursor is None else str(cursor))


def _objects(body: Body, name: str) -> list[dict[str, Any]]:
    found = body.get(name)
    if not isinstance(found, list):
        raise Unavailable(f"the answer has no {name}; is this the address of log_service?", passing=False)
    return [entry for entry in found if isinstance(entry, dict)]
