"""What a page of /logs/recent costs as the table grows, on Amazon DynamoDB Local: items evaluated, capacity, time."""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import records
from bench.application import APPLICATION, room
from bench.pairs import Pace
from bench.results import Result
from common.clock import SystemClock
from common.dynamodb import decode_pages
from local import aws, templates
from tests.support.engine import DynamoDBLocal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SIZES = (1_000, 8_000, 64_000, 256_000, 1_000_000)
QUICK_SIZES = SIZES[:2]
SECONDS = 540.0
WRITERS = 2
PER_CALL = 1000
PAGE = 100
SHARDS = 4
SCATTER = 2_654_435_761
SPAN_US = 20 * 3600 * 1_000_000
QUESTIONS: dict[str, dict[str, Any]] = {
    "": {},
    "service": {"service_name": "payments"},
    "level": {"level": ["ERROR"]},
    "service, level": {"service_name": "checkout", "level": ["ERROR"]},
}
READS = 5
GOAL = 1.5
GOAL_AT_A_MILLION = 1.2


@dataclass(slots=True)
class Spent:
    """What the Queries of one page cost."""

    evaluated: int = 0
    capacity: float = 0.0
    queries: int = 0

    def ask(self, params: dict[str, Any], **_: object) -> None:
        """Ask every Query for its capacity."""
        params["ReturnConsumedCapacity"] = "TOTAL"

    def add(self, parsed: dict[str, Any], **_: object) -> None:
        """Count one Query."""
        self.evaluated += parsed["ScannedCount"]
        self.capacity += parsed["ConsumedCapacity"]["CapacityUnits"]
        self.queries += 1


def run(_endpoint: str, pace: Pace) -> Iterator[Result]:
    """Fill the table step by step within the time there is, and read a page of each kind at each step."""
    server = DynamoDBLocal()
    try:
        _create_table(server.client())
        yield from _steps(server.endpoint, QUICK_SIZES if pace.quick else SIZES)
    finally:
        server.close()


def _steps(endpoint: str, sizes: Sequence[int]) -> Iterator[Result]:
    started, newest, stored = time.monotonic(), SystemClock().now_us(), 0
    found: dict[str, list[Read]] = {kind: [] for kind in QUESTIONS}
    with ProcessPoolExecutor(WRITERS) as writers:
        for size in sizes:
            spent = time.monotonic() - started
            if stored and spent / stored * size > SECONDS:
                print(f"    {size:,} records do not fit in {SECONDS:.0f} s")
                break
            list(writers.map(partial(_write, endpoint, newest), range(stored, size, PER_CALL)))
            stored = size
            for kind, question in QUESTIONS.items():
                found[kind].append(_read(endpoint, question))
                yield found[kind][-1].result(kind, size)
    for kind, reads in found.items():
        yield _growth(kind, reads, sizes[0], stored)


def _growth(kind: str, reads: Sequence["Read"], first: int, last: int) -> Result:
    goal = GOAL_AT_A_MILLION if last == SIZES[-1] else GOAL
    return Result(f"growth {first:,} - {last:,}{_of(kind)}", reads[-1].per_record / reads[0].per_record, goal)


def _of(kind: str) -> str:
    return f", {kind}" if kind else ""


def _write(endpoint: str, newest: int, start: int) -> None:
    """Write records number start and on; later ones fill the gaps of the earlier, over the same 20 hours."""
    incoming = room("chalicelib.schemas.incoming")
    made: list[Any] = []
    for number in range(start, start + PER_CALL):
        instant = newest - (number * SCATTER) % SPAN_US
        entry = incoming.LogIn.model_validate(records.entry(number))
        made.append((entry.record("caller", instant, records.log_id(number)), newest // 1_000_000 + 90 * 86_400))
    assert not _store(_client(endpoint)).add_many(made), "the table did not take every record"


@dataclass(frozen=True, slots=True)
class Read:
    """What one page of a question cost, of READS equal ones."""

    rows: int
    spent: Spent
    seconds: float

    @property
    def evaluated(self) -> float:
        """Items that DynamoDB looked at."""
        return self.spent.evaluated / READS

    @property
    def per_record(self) -> float:
        """The same, for each record of the page: a small table has no full page of everything."""
        return self.evaluated / self.rows

    def result(self, kind: str, size: int) -> Result:
        """For the table."""
        said = (f"{self.rows} records, {self.spent.queries // READS} queries", f"{self.spent.capacity / READS:.1f} RCU")
        note = ", ".join((*said, f"{self.seconds * 1e3:.1f} ms"))
        return Result(f"page of {size:,}{_of(kind)}", self.evaluated, 2 * PAGE + SHARDS, "items", note=note)


def _read(endpoint: str, question: dict[str, Any]) -> Read:
    client, spent, seconds = _client(endpoint), Spent(), []
    client.meta.events.register("before-parameter-build.dynamodb.Query", spent.ask)
    client.meta.events.register("after-call.dynamodb.Query", spent.add)
    reader = room("chalicelib.service").Reader(_store(client), None, _retention(), SystemClock(), _seal())
    query = room("chalicelib.schemas").RecentQuery.model_validate({**question, "limit": str(PAGE)})
    for _ in range(READS):
        began = time.perf_counter()
        page = reader.recent(query)
        seconds.append(time.perf_counter() - began)
    return Read(json.loads(page)["count"], spent, median(seconds))


def _client(endpoint: str) -> "DynamoDBClient":
    client: DynamoDBClient = aws.client("dynamodb", endpoint)
    decode_pages(client)
    return client


def _store(client: "DynamoDBClient") -> Any:  # noqa: ANN401  # a class of the application
    store = room("chalicelib.store")
    return store.DynamoLogStore(client, store.Tables("logs", SHARDS), _retention(), SystemClock())


def _retention() -> Any:  # noqa: ANN401  # as above
    return room("chalicelib.domain").Retention(90)


def _seal() -> Any:  # noqa: ANN401  # as above
    return room("common.web.cursor").CursorSeal("bench")


def _create_table(client: "DynamoDBClient") -> None:
    """The table that resources.yaml declares."""
    declared = templates.resources(templates.load(APPLICATION / "resources.yaml"), "AWS::DynamoDB::Table")["LogsTable"]
    wanted = ("AttributeDefinitions", "KeySchema")
    indexes: list[Any] = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in declared["GlobalSecondaryIndexes"]
    ]
    request: dict[str, Any] = {name: declared[name] for name in wanted}
    client.create_table(TableName="logs", BillingMode="PAY_PER_REQUEST", GlobalSecondaryIndexes=indexes, **request)
