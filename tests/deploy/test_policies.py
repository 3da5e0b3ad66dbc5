"""The hand-written policies, tried on the engine: what a function or a caller may do, and what it may not."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deploy.packages import ROOT
from tests.support.engine import Engine

CHALICE = ROOT / "log_service" / ".chalice"
LOGS, SERVICES, IDEMPOTENCY = (f"simple-log-service-{name}-local" for name in ("logs", "services", "idempotency"))
TRUST = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
PARTITION = {"S": "policies are tried"}
ITEM = {"pk": PARTITION, "sk": {"S": "s"}}
type As = Callable[[str], Any]


@pytest.fixture
def assumed(engine: Engine) -> Callable[..., Any]:
    """A DynamoDB client with a role's temporary credentials."""

    def assume(role: str, **more: Any) -> Any:  # noqa: ANN401  # boto3 makes its classes at run time
        arn = f"arn:aws:iam::000000000000:role/{role}"
        given = engine.client("sts").assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], "us-east-1")
        return session.client("dynamodb", endpoint_url=engine.endpoint)

    return assume


@pytest.fixture
def function(engine: Engine, assumed: Callable[..., Any]) -> Iterator[As]:
    """A DynamoDB client that may do what a function's policy file of stage local allows."""
    engine.apply("log_service")
    iam = engine.client("iam")
    made: list[str] = []

    def acting(handler: str) -> Any:  # noqa: ANN401  # as above
        name = f"test-{handler}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [TRUST]}))
        made.append(name)
        text = (CHALICE / f"policy-{handler}-local.json").read_text()
        iam.put_role_policy(RoleName=name, PolicyName="file", PolicyDocument=text)
        return assumed(name)

    yield acting
    for name in made:
        iam.delete_role_policy(RoleName=name, PolicyName="file")
        iam.delete_role(RoleName=name)


def refused(call: Callable[..., object], **arguments: object) -> bool:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return "AccessDenied" in caught.value.response["Error"]["Code"]


def query(table: str, index: str | None = None) -> dict[str, Any]:
    key = {"RecentIndex": "recent_pk"}.get(index or "", "pk")
    asked = {
        "TableName": table,
        "KeyConditionExpression": f"{key} = :p",
        "ExpressionAttributeValues": {":p": PARTITION},
    }
    return {**asked, "IndexName": index} if index else asked


def test_the_api_function_appends_and_finds_records(function: As) -> None:
    api = function("api_handler")

    api.put_item(TableName=LOGS, Item=ITEM)
    api.batch_write_item(RequestItems={LOGS: [{"PutRequest": {"Item": ITEM}}]})

    assert api.query(**query(LOGS))["Count"] == 1
    assert api.query(**query(LOGS, "RecentIndex"))["Count"] == 0
    assert "Count" in api.query(**query(SERVICES))


def test_the_api_function_neither_changes_nor_removes_nor_scans_records(function: As) -> None:
    api = function("api_handler")

    assert refused(api.update_item, TableName=LOGS, Key=ITEM)
    assert refused(api.delete_item, TableName=LOGS, Key=ITEM)
    assert refused(api.scan, TableName=LOGS)


def test_the_api_function_writes_no_counts(function: As) -> None:
    assert refused(function("api_handler").put_item, TableName=SERVICES, Item=ITEM)


def test_the_counting_function_counts_in_a_transaction_and_touches_no_record(function: As) -> None:
    counting = function("count_records")
    update = {"TableName": SERVICES, "Key": ITEM, "UpdateExpression": "ADD n :n"}
    values = {"ExpressionAttributeValues": {":n": {"N": "1"}}}
    put = {"TableName": SERVICES, "Item": {**ITEM, "sk": {"S": "batch"}}}

    counting.transact_write_items(TransactItems=[{"Update": {**update, **values}}, {"Put": put}])

    assert refused(counting.put_item, TableName=LOGS, Item=ITEM)
    assert refused(counting.query, **query(LOGS))


def test_the_ingest_role_reaches_no_table(engine: Engine, assumed: Callable[..., Any]) -> None:
    engine.apply("log_service")

    caller = assumed(
        "simple-log-service-ingest-local", ExternalId="simple-log-service-ingest-local", DurationSeconds=900
    )

    assert refused(caller.put_item, TableName=LOGS, Item=ITEM)
    assert refused(caller.query, **query(LOGS))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"ExternalId": "simple-log-service-read-local"},
    ],
    ids=["no external id", "another role's external id"],
)
def test_the_ingest_role_is_refused_to_who_asks_wrongly(
    engine: Engine, assumed: Callable[..., Any], wrong: dict[str, Any]
) -> None:
    engine.apply("log_service")

    assert refused(assumed, role="simple-log-service-ingest-local", **wrong)
