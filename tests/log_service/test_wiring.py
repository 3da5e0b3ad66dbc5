"""The environment, and what importing the application costs: nothing of the network, little of anything else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.settings import ConfigurationError
from log_service.chalicelib.domain import Level
from log_service.chalicelib.settings import Settings

ROOT = Path(__file__).parent.parent.parent
MOST_MODULES = 560
COMPLETE = {
    "STAGE": "dev",
    "DYNAMODB_TABLE_NAME": "logs",
    "SERVICES_TABLE_NAME": "services",
    "IDEMPOTENCY_TABLE_NAME": "idempotency",
}
AWS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
NO_NETWORK = """
import socket
def refuse(*_, **__):
    raise AssertionError("importing reached for the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""


def run(program: str) -> str:
    """What a fresh process prints whose only path is the application's, as on Lambda."""
    path = os.pathsep.join([str(ROOT / "log_service"), str(ROOT)])
    finished = subprocess.run(  # noqa: S603  # this very interpreter
        [sys.executable, "-c", program],
        env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **AWS, **COMPLETE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_importing_the_application_needs_no_network() -> None:
    assert run(NO_NETWORK + "import app\nprint('imported')").strip() == "imported"


def test_importing_the_application_loads_few_modules_and_no_sdk() -> None:
    modules, heavy = run(
        "import app, sys\n"
        "print(len(sys.modules))\n"
        "heavy = ('boto3', 'botocore.client', 'google.protobuf', 'opentelemetry', 'requests')\n"
        "print([name for name in heavy if name in sys.modules])"
    ).splitlines()

    assert int(modules) <= MOST_MODULES
    assert heavy == "[]"


def test_clients_are_made_on_first_use_and_once() -> None:
    program = NO_NETWORK + (
        "from common import aws\n"
        "import app\n"
        "from chalicelib import wiring\n"
        "assert aws.session.cache_info().currsize == 0\n"
        "made = [[wiring.ingest(), wiring.reader(), wiring.register(), wiring.idempotency()] for _ in range(2)]\n"
        "assert all(one is other for one, other in zip(*made))\n"
        "print(aws.session.cache_info().misses, aws.client.cache_info().misses)"
    )

    assert run(program).split() == ["1", "1"]


def test_every_missing_name_is_reported_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment({"RETENTION_DAYS": "0", "RECENT_SHARDS": "many", "RETENTION_RULES": "{"})

    for name in (*COMPLETE, "RETENTION_DAYS", "RECENT_SHARDS", "RETENTION_RULES"):
        assert name in str(raised.value)


def test_a_complete_environment_has_sane_defaults() -> None:
    settings = Settings.from_environment(COMPLETE)

    assert (settings.retention.longest, settings.recent_shards, settings.log_level) == (90, 4, "INFO")


def test_retention_rules_are_read_by_level_and_by_service() -> None:
    rules = '{"levels": {"debug": 7, "critical": 365}, "services": {"audit-trail": 400}}'

    retention = Settings.from_environment({**COMPLETE, "RETENTION_RULES": rules}).retention

    assert retention.days("payments", Level.DEBUG) == 7
    assert retention.days("payments", Level.FATAL) == 365
    assert retention.days("audit-trail", Level.DEBUG) == 400


@pytest.mark.parametrize("rules", ["[]", "7", '{"levels": {"LOUD": 1}}', '{"levels": {"INFO": 0}}', '{"x": 1}', "nan"])
def test_rules_that_make_no_sense_stop_the_start(rules: str) -> None:
    with pytest.raises(ConfigurationError, match="RETENTION_RULES"):
        Settings.from_environment({**COMPLETE, "RETENTION_RULES": rules})


def test_any_origin_is_refused_in_production_only() -> None:
    with pytest.raises(ConfigurationError, match="ALLOWED_ORIGINS"):
        Settings.from_environment({**COMPLETE, "STAGE": "prod", "ALLOWED_ORIGINS": "https://a.example, *"})

    assert Settings.from_environment({**COMPLETE, "ALLOWED_ORIGINS": "*"}).allowed_origins == ("*",)
