"""One served log_service for the folder; every test writes under service names of its own."""

import pytest

from tests.support.engine import Serve

from .calling import Api, unique
from .serving import APPLICATION, QUIET


@pytest.fixture(scope="session")
def url(serve: Serve) -> str:
    return serve(APPLICATION, QUIET)


@pytest.fixture(scope="session")
def api(url: str) -> Api:
    return Api(url)


@pytest.fixture
def service() -> str:
    return unique()
