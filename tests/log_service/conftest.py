"""Worlds: one per test, or one that many tests read."""

import pytest

from common.dynamodb import decode_pages
from tests.log_service.builders import keep
from tests.log_service.sample import SAMPLE, big_sample
from tests.log_service.store_contract import BACKENDS, DYNAMODB_LOCAL, ENGINE, FAKE, World, dynamo_world, fake_world

REAL = (ENGINE, DYNAMODB_LOCAL)


def _world(backend: str, request: pytest.FixtureRequest) -> World:
    if backend == FAKE:
        return fake_world()
    running = request.getfixturevalue(backend)
    client = running.client("dynamodb", parameter_validation=False)
    decode_pages(client)
    return dynamo_world(client)


@pytest.fixture(params=BACKENDS)
def world(request: pytest.FixtureRequest) -> World:
    """Empty, on each backend."""
    return _world(request.param, request)


@pytest.fixture(params=REAL)
def real_world(request: pytest.FixtureRequest) -> World:
    """Empty, on each DynamoDB."""
    return _world(request.param, request)


@pytest.fixture(params=BACKENDS, scope="session")
def sampled(request: pytest.FixtureRequest) -> World:
    """Holds SAMPLE, on each backend; to be read only."""
    made = _world(request.param, request)
    keep(made.store, *SAMPLE)
    return made


@pytest.fixture(params=BACKENDS, scope="session")
def big(request: pytest.FixtureRequest) -> World:
    """Holds `big_sample(8_000)`, on each backend; to be read only."""
    made = _world(request.param, request)
    keep(made.store, *big_sample(8_000))
    return made
