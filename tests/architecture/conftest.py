"""Every application's templates, packaged once in a session."""

import functools
from collections.abc import Callable

import pytest

from deploy.packages import ROOT, Package, package
from tests.architecture.templates import Subject, expanded, resources_of

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "LOGS_STREAM_ARN": "arn:aws:dynamodb:us-east-1:000000000000:table/simple-log-service-logs-prod/stream/2026",
}


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Package]:
    """Packages an application's stage prod, as a release does."""

    @functools.cache
    def make(app: str) -> Package:
        return package(ROOT / app, "prod", ENVIRONMENT, tmp_path_factory.mktemp(app) / "out")

    return make


@pytest.fixture(scope="session")
def subject(packaged: Callable[[str], Package]) -> Callable[[str], Subject]:
    """Both stacks of an application."""

    @functools.cache
    def make(app: str) -> Subject:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            return Subject(app, resources_of(app), expanded(packaged(app)))

    return make
