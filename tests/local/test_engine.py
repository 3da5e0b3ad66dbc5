"""The engine behind its layer: bound safely, checking signatures, keeping its state through a kill."""

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import settings, stacks
from local.engine.configuration import settings as engine_settings
from local.ports import holder
from local.stacks import StackFailed
from local.waiting import until
from tests.local.conftest import SAMPLE
from tests.support.engine import Engine


def snapshot(engine_state: Path) -> Path:
    return (engine_state / "current").readlink()


def test_it_listens_on_the_loopback_interface_only(engine: Engine) -> None:
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    pid = int(holder(engine.port).split()[1].rstrip(":"))
    own = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()}

    listening = {fields[1] for fields in lines if fields[3] == "0A" and f"socket:[{fields[9]}]" in own}

    assert listening == {f"0100007F:{engine.port:04X}"}


def test_it_opens_no_docker_socket_and_no_mqtt_port() -> None:
    values = engine_settings(4566, None)

    assert values["DOCKER_HOST"] == "unix:///nonexistent"
    assert values["IOT_MTLS_ENABLED"] == "0"


def dynamodb_as(engine: Engine, key: str, secret: str) -> Any:  # noqa: ANN401  # boto3 makes its classes at run time
    session = boto3.session.Session(key, secret, region_name=settings.REGION)
    return session.client("dynamodb", endpoint_url=engine.endpoint)


def test_signatures_and_policies_of_users_are_checked(engine: Engine) -> None:
    iam = engine.client("iam")
    iam.create_user(UserName="reader")
    allowed = {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = dynamodb_as(engine, key["AccessKeyId"], key["SecretAccessKey"])
    forger = dynamodb_as(engine, key["AccessKeyId"], "wrong")

    reader.list_tables()
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.describe_limits()
    with pytest.raises(ClientError, match=r"InvalidSignature|SignatureDoesNotMatch"):
        forger.list_tables()


def test_state_survives_a_kill_and_so_do_stream_records(kept: Engine, tmp_path: Path) -> None:
    outputs = kept.apply(SAMPLE)
    kept.client("dynamodb").put_item(TableName="sample-things-local", Item={"pk": {"S": "kept"}, "owner": {"S": "o"}})
    written = time.time_ns()
    until(lambda: int(snapshot(tmp_path / "state").name.split("-")[1]) > written, 10, "a snapshot of the write")

    kept.kill()
    kept.start()

    found = kept.client("dynamodb").get_item(TableName="sample-things-local", Key={"pk": {"S": "kept"}})
    assert found["Item"]["owner"] == {"S": "o"}
    assert stream_keys(kept, outputs["THINGS_STREAM_ARN"]) == ["kept"]


def test_state_survives_a_stop_right_after_a_write(kept: Engine) -> None:
    kept.client("sqs").create_queue(QueueName="last-minute")

    kept.stop()
    kept.start()

    assert "last-minute" in str(kept.client("sqs").list_queues()["QueueUrls"])


def test_reading_takes_no_snapshot(kept: Engine, tmp_path: Path) -> None:
    kept.client("sqs").create_queue(QueueName="one")
    until(lambda: snapshot(tmp_path / "state").name != "snapshot-0", 10, "a snapshot")
    before = snapshot(tmp_path / "state")

    for _ in range(20):
        kept.client("sqs").list_queues()
        kept.client("dynamodb").list_tables()
    time.sleep(0.5)  # longer than the pause after which a write would be kept

    assert snapshot(tmp_path / "state") == before


def test_a_table_is_all_that_its_template_declares(engine: Engine) -> None:
    engine.apply(SAMPLE)
    dynamodb, name = engine.client("dynamodb"), "sample-things-local"

    table = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    insights = dynamodb.describe_contributor_insights(TableName=name)
    lifetime = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]

    assert lifetime == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert insights["ContributorInsightsStatus"] == "ENABLED"
    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert "alias/aws/dynamodb" not in table["SSEDescription"]["KMSMasterKeyArn"]
    assert table["DeletionProtectionEnabled"] is True


def test_applying_a_template_again_changes_nothing(engine: Engine) -> None:
    first = engine.apply(SAMPLE)

    assert engine.apply(SAMPLE) == first
    assert set(first) == {"THINGS_TABLE_NAME", "THINGS_STREAM_ARN", "NEWS_TOPIC_ARN"}


def test_an_update_that_cannot_be_made_names_the_resource_and_a_way_out(engine: Engine, tmp_path: Path) -> None:
    template = tmp_path / "stuck" / "resources.yaml"
    template.parent.mkdir()
    text = (SAMPLE / "resources.yaml").read_text().replace("sample-", "stuck-").replace("alias/sample", "alias/stuck")
    template.write_text(text)
    stacks.apply(template.parent, engine.endpoint)
    template.write_text(text.replace("{AttributeName: pk, KeyType: HASH}]", "{AttributeName: owner, KeyType: HASH}]"))

    with pytest.raises(StackFailed, match=r"Things: .*[\s\S]*make clean-state"):
        stacks.apply(template.parent, engine.endpoint)


def stream_keys(engine: Engine, arn: str) -> list[str]:
    streams = engine.client("dynamodbstreams")
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    begin = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=begin["ShardIterator"])["Records"]
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]
