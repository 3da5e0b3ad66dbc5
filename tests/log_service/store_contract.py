"""What every log store and register is tested on: the three backends, their tables from the template, their traffic."""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local import templates
from local.settings import REPOSITORY
from log_service.chalicelib.store import DynamoLogStore, DynamoRegister, LogStore, Register, Tables
from tests.fakes.clock import FakeClock
from tests.fakes.log_store import FakeLogStore, FakeRegister
from tests.log_service.builders import RETENTION

FAKE, ENGINE, DYNAMODB_LOCAL = "fake", "engine", "dynamodb_local"
BACKENDS = (FAKE, ENGINE, DYNAMODB_LOCAL)
SHARDS = 4
DECLARED = templates.resources(templates.load(REPOSITORY / "log_service" / "resources.yaml"), "AWS::DynamoDB::Table")
OF_A_TABLE = ("AttributeDefinitions", "KeySchema", "BillingMode")
OF_AN_INDEX = ("IndexName", "KeySchema", "Projection")
_numbers = itertools.count()


@dataclass
class Traffic:
    """What a client has sent since the last look."""

    calls: Counter[str] = field(default_factory=Counter)
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def watch(self, client: Any) -> None:  # noqa: ANN401  # boto3 makes its classes at run time
        client.meta.events.register("provide-client-params.dynamodb", self._note)

    def forget(self) -> None:
        self.calls.clear()
        self.requests.clear()

    def _note(self, params: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401  # botocore's
        self.calls[model.name] += 1
        self.requests.append(params)


@dataclass
class World:
    """A store and a register on one backend, and the clock they see."""

    store: LogStore
    register: Register
    clock: FakeClock
    traffic: Traffic
    client: Any = None
    table: str = ""


def make_table(client: Any, logical_name: str) -> str:  # noqa: ANN401  # as above
    """A new table as resources.yaml declares it, encryption, recovery and TTL aside."""
    declared = DECLARED[logical_name]
    name = f"{logical_name}-{next(_numbers)}"
    indexes = [{part: index[part] for part in OF_AN_INDEX} for index in declared.get("GlobalSecondaryIndexes", ())]
    more = {"GlobalSecondaryIndexes": indexes} if indexes else {}
    client.create_table(TableName=name, **{part: declared[part] for part in OF_A_TABLE}, **more)
    return name


def dynamo_world(client: Any) -> World:  # noqa: ANN401  # as above
    """A world of fresh tables behind this client."""
    clock, traffic = FakeClock(), Traffic()
    logs, services = make_table(client, "LogsTable"), make_table(client, "ServicesTable")
    traffic.watch(client)
    store = DynamoLogStore(client, Tables(logs, SHARDS), RETENTION, clock)
    return World(store, DynamoRegister(client, services, RETENTION, clock), clock, traffic, client, logs)


def fake_world() -> World:
    """A world in memory."""
    clock = FakeClock()
    return World(FakeLogStore(clock), FakeRegister(), clock, Traffic())
