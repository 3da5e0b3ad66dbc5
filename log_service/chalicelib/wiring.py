"""Which real thing stands behind each Protocol. Lazy and cached: importing this needs no network."""

from functools import cache

from chalice.app import Request

from common import aws
from common.auth import iam_caller
from common.clock import SystemClock
from common.health import Health, examine
from common.idempotency import Demand, Idempotency
from common.web.cursor import CursorSeal

from . import VERSION
from .service import Ingest, Reader, Sender
from .settings import Settings
from .store import DynamoLogStore, DynamoRegister, Tables

CLOCK = SystemClock()


@cache
def settings() -> Settings:
    """The environment, read once; raises ConfigurationError."""
    return Settings.from_environment()


@cache
def _store() -> DynamoLogStore:
    said = settings()
    tables = Tables(said.dynamodb_table_name, said.recent_shards)
    return DynamoLogStore(aws.dynamodb(), tables, said.retention, CLOCK)


@cache
def register() -> DynamoRegister:
    """Who writes."""
    return DynamoRegister(aws.dynamodb(), settings().services_table_name, settings().retention, CLOCK)


@cache
def ingest() -> Ingest:
    """The use cases that write."""
    return Ingest(_store(), settings().retention, CLOCK)


@cache
def reader() -> Reader:
    """The use cases that read."""
    seal = CursorSeal(f"log_service/{settings().dynamodb_table_name}")
    return Reader(_store(), register(), settings().retention, CLOCK, seal)


@cache
def idempotency() -> Idempotency:
    """First answers, kept for Idempotency-Key."""
    return Idempotency(aws.dynamodb(), settings().idempotency_table_name, CLOCK)


def caller(request: Request) -> str:
    """Who is calling; raises Unauthorized."""
    return iam_caller(request.context, settings().stage)


def sender(who: str, demand: Demand | None) -> Sender:
    """Who sends records, and under which Idempotency-Key."""
    if demand is None:
        return Sender(who)
    return Sender(who, demand.key, lambda: idempotency().first_instant(demand))


def health() -> Health:
    """Whether our own store answers."""
    checks = {"dynamodb": register().ping}
    return examine("log_service", VERSION, settings().stage, checks, CLOCK)
