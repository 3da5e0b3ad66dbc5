"""The application under its own role: its policy is enough for every route, and nothing in it is too much."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local import settings
from tests.support.engine import Engine, Process

from .calling import Api, record, stamp, unique
from .serving import APPLICATION, server

FOLDER = settings.REPOSITORY / APPLICATION / ".chalice"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
NOT_OF_THE_HANDLER = {
    "kms": "the engine encrypts nothing, so the tables' key is never asked for",
    "logs": "Lambda writes the function's lines, not the function",
    "xray": "Lambda's active tracing sends segments, not the function",
    "sqs": "Lambda gives batches up to the dead-letter queue, not the function",
    "dynamodb:DescribeStream": "Lambda reads the stream and delivers batches, not the function",
    "dynamodb:GetRecords": "as DescribeStream",
    "dynamodb:GetShardIterator": "as DescribeStream",
    "dynamodb:ListStreams": "as DescribeStream",
    "dynamodb:GetItem": "Powertools reads a kept answer only where a refused conditional write does not return it",
}
HANDLER = """
import json, sys
from pathlib import Path
from local.applications import load
from local.pump.invocation import Handler
Handler(load(Path(sys.argv[1])), "count_records")(json.loads(sys.argv[2]))
"""


def policy_of(handler: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((FOLDER / f"policy-{handler}-local.json").read_text())
    return made


def grants(handler: str) -> list[tuple[str, str]]:
    """Each statement's id with each of its actions that the handler itself uses."""
    return [
        (statement["Sid"], action)
        for statement in policy_of(handler)["Statement"]
        for action in actions(statement)
        if not {action, action.partition(":")[0]} & NOT_OF_THE_HANDLER.keys()
    ]


def actions(statement: dict[str, Any]) -> list[str]:
    given = statement["Action"]
    return given if isinstance(given, list) else [given]


def without(policy: dict[str, Any], sid: str, action: str) -> dict[str, Any]:
    """The policy less one action of one statement."""
    kept = []
    for statement in policy["Statement"]:
        left = [name for name in actions(statement) if (statement["Sid"], name) != (sid, action)]
        kept += [{**statement, "Action": left}] if left else []
    return {**policy, "Statement": kept}


@contextmanager
def role(engine: Engine, policy: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Temporary credentials of a role with this policy and nothing else, as environment variables."""
    iam, name = engine.client("iam"), f"own-{uuid4()}"
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    given = engine.client("sts").assume_role(RoleArn=arn, RoleSessionName="e2e")["Credentials"]
    yield {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }
    iam.delete_role_policy(RoleName=name, PolicyName="own")
    iam.delete_role(RoleName=name)


def statuses(api: Api) -> dict[str, int]:
    """One pass over everything the API does."""
    service, key = unique("own"), str(uuid4())
    entry = record(service, timestamp=stamp(), log_id=str(uuid4()), level="ERROR")
    late = record(service, timestamp="2001-01-01T00:00:00Z")
    otlp = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}}]}]}]}
    return {
        "created": api.post("/logs", entry).status,
        "duplicate": api.post("/logs", entry).status,
        "batch": api.post("/logs/batch", {"logs": [entry, record(service)]}).status,
        "otlp": api.post("/v1/logs", otlp).status,
        "first of a key": api.post("/logs", record(service), Idempotency_Key=key).status,
        "again": api.post("/logs", record(service, message="other"), Idempotency_Key=key).status,
        "refused under a key": api.post("/logs", late, Idempotency_Key=key + "l").status,
        "after it was refused": api.post("/logs", record(service), Idempotency_Key=key + "l").status,
        "a service": api.get("/logs/recent", service_name=service).status,
        "a service's errors": api.get("/logs/recent", service_name=service, level="ERROR").status,
        "all": api.get("/logs/recent").status,
        "all errors": api.get("/logs/recent", min_level="ERROR").status,
        "tail": api.get("/logs/tail").status,
        "services": api.get("/services").status,
        "health": api.get("/health").status,
    }


WORKING = {
    "created": 201,
    "duplicate": 200,
    "batch": 200,
    "otlp": 200,
    "first of a key": 201,
    "again": 409,
    "refused under a key": 400,
    "after it was refused": 201,
    "a service": 200,
    "a service's errors": 200,
    "all": 200,
    "all errors": 200,
    "tail": 200,
    "services": 200,
    "health": 200,
}


def test_the_api_works_under_its_own_role(engine: Engine, url: str) -> None:
    assert url
    with role(engine, policy_of("api_handler")) as credentials, server(engine, credentials) as own:
        assert statuses(Api(own)) == WORKING


@pytest.mark.parametrize(("sid", "action"), grants("api_handler"))
def test_the_api_needs_every_action_of_its_policy(engine: Engine, url: str, sid: str, action: str) -> None:
    assert url
    less = without(policy_of("api_handler"), sid, action)

    with role(engine, less) as credentials, server(engine, credentials, ready=False) as own:
        assert statuses(Api(own)) != WORKING


def counted(engine: Engine, policy: dict[str, Any]) -> bool:
    """Whether the counting handler gets through an event under a role with this policy."""
    image = {"service_name": {"S": unique("counted")}, "level": {"S": "INFO"}, "sk": {"S": stamp_position()}}
    event = {"Records": [{"eventID": str(uuid4()), "eventName": "INSERT", "dynamodb": {"NewImage": image}}]}
    with role(engine, policy) as credentials:
        environment = settings.child_environment(engine.environment(APPLICATION) | credentials)
        project = str(settings.REPOSITORY / APPLICATION)
        process = Process([sys.executable, "-c", HANDLER, project, json.dumps(event)], environment, Path(project))
        try:
            process.wait_until(lambda: process.code() is not None, "the handler to end")
            return process.code() == 0
        finally:
            process.stop()


def stamp_position() -> str:
    """The sort key of a record of now."""
    return f"{time.time_ns() // 1_000:016d}#{uuid4().hex}"


def test_counting_works_under_its_own_role(engine: Engine, url: str) -> None:
    assert url
    assert counted(engine, policy_of("count_records"))


@pytest.mark.parametrize(("sid", "action"), grants("count_records"))
def test_counting_needs_every_action_of_its_policy(engine: Engine, url: str, sid: str, action: str) -> None:
    assert url
    assert not counted(engine, without(policy_of("count_records"), sid, action))
