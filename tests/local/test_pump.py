"""The pump: each kind of event reaches its handler, and comes again when the handler fails."""

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import settings
from local.pump.events import bridge, sns, sqs, stream
from local.pump.streams import Checkpoint
from local.waiting import until
from tests.local.conftest import SAMPLE, SECONDS, Sample, Seen
from tests.support.engine import Engine, Process


def unique(kind: str) -> str:
    return f"{kind}-{uuid.uuid4()}"


def send_job(sample: Sample, body: str) -> str:
    sqs_client = sample.engine.client("sqs")
    url: str = sqs_client.get_queue_url(QueueName="sample-jobs-local")["QueueUrl"]
    sqs_client.send_message(QueueUrl=url, MessageBody=body)
    return url


def waiting(sample: Sample, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sample.engine.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, attributes.values()))


def put(sample: Sample, key: str) -> None:
    item = {"pk": {"S": key}, "owner": {"S": "someone"}}
    sample.engine.client("dynamodb").put_item(TableName="sample-things-local", Item=item)


def test_a_message_reaches_the_worker_and_leaves_the_queue(sample: Sample) -> None:
    body = unique("fine")

    url = send_job(sample, body)

    sample.seen.wait_for("jobs", lambda seen: body in seen)
    until(lambda: waiting(sample, url) == 0, SECONDS, "the queue to be empty")


def test_a_batch_that_raises_comes_again_when_its_visibility_ends(sample: Sample) -> None:
    body = unique("raise")

    send_job(sample, body)

    sample.seen.wait_for("jobs", lambda seen: seen.count(body) == 2)
    first, second = sample.seen.times_of("jobs", body)
    assert second - first > 0.8  # the queue's visibility is a second


def test_only_the_failed_part_of_a_batch_comes_again(sample: Sample) -> None:
    bad, good = unique("partial"), unique("fine")

    url = send_job(sample, bad)
    send_job(sample, good)

    sample.seen.wait_for("jobs", lambda seen: seen.count(bad) == 2)
    until(lambda: waiting(sample, url) == 0, SECONDS, "the queue to be empty")
    assert sample.seen.by("jobs").count(good) == 1


def test_a_message_that_never_succeeds_becomes_a_dead_letter(sample: Sample) -> None:
    body = unique("poison")
    client = sample.engine.client("sqs")
    dead = client.get_queue_url(QueueName="sample-dead-local")["QueueUrl"]

    send_job(sample, body)

    until(lambda: body in bodies(client, dead), SECONDS, "the dead letter")
    assert sample.seen.by("jobs").count(body) == 2  # the queue's maxReceiveCount


def bodies(client: Any, url: str) -> list[str]:  # noqa: ANN401  # boto3 makes its classes at run time
    return [message["Body"] for message in client.receive_message(QueueUrl=url).get("Messages", [])]


def test_an_event_of_any_source_reaches_the_handler_whose_pattern_matches(sample: Sample) -> None:
    wanted, other, foreign = unique("hub"), unique("custom"), unique("foreign")
    entries = [
        {"Source": source, "DetailType": "Findings", "Detail": json.dumps({"kind": kind, "id": name})}
        for source, kind, name in (
            ("aws.securityhub", "wanted", wanted),
            ("custom", "wanted", other),
            ("custom", "unwanted", foreign),
        )
    ]

    assert sample.engine.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0

    sample.seen.wait_for("findings", lambda seen: {wanted, other} <= set(seen))
    assert foreign not in sample.seen.by("findings")


def test_an_event_whose_handler_fails_comes_again(sample: Sample) -> None:
    name = unique("again")
    detail = json.dumps({"kind": "wanted", "id": name})

    sample.engine.client("events").put_events(Entries=[{"Source": "custom", "DetailType": "x", "Detail": detail}])

    sample.seen.wait_for("findings", lambda seen: seen.count(name) == 2)


def test_a_schedule_is_a_rule_of_the_engine_whose_countdown_a_restart_does_not_restart(sample: Sample) -> None:
    rule = sample.engine.client("events").describe_rule(Name="local-sample-app--hourly")

    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 hour)", "ENABLED")


def test_a_notification_has_the_shape_that_lambda_gets(sample: Sample) -> None:
    plain, full = unique("plain"), unique("full")
    topic = sample.outputs["NEWS_TOPIC_ARN"]
    attributes = {"kind": {"DataType": "String", "StringValue": "test"}}

    sample.engine.client("sns").publish(TopicArn=topic, Message=plain)
    sample.engine.client("sns").publish(TopicArn=topic, Message=full, Subject="Hi", MessageAttributes=attributes)

    seen = sample.seen.wait_for("news", lambda seen: {plain, full} <= {line[1] for line in seen})
    by_message = {line[1]: line for line in seen}
    assert by_message[plain] == [None, plain, {}, topic]
    assert by_message[full] == ["Hi", full, {"kind": {"Type": "String", "Value": "test"}}, topic]


def test_stream_records_arrive_in_order_and_a_failed_batch_again(sample: Sample) -> None:
    keys = [unique("k"), unique("again"), unique("k")]

    for key in keys:
        put(sample, key)

    sample.seen.wait_for("changes", lambda seen: keys[-1] in seen and seen.count(keys[1]) == 2)
    order = [key for key in sample.seen.by("changes") if key in keys]
    assert order[-3:] == keys or order[-2:] == keys[1:]


def test_a_stream_record_arrives_soon_after_the_write(sample: Sample) -> None:
    latencies = []
    for _ in range(5):
        key = unique("soon")
        began = time.time()
        put(sample, key)
        until(lambda key=key: key in sample.seen.by("changes"), SECONDS, "the record")  # type: ignore[misc]  # bound
        latencies.append(sample.seen.times_of("changes", key)[0] - began)

    assert min(latencies) < 0.3


class Pump:
    """A pump of the sample application on an engine of its own, so that no other takes its events."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.seen = Seen(folder / "seen")
        self.checkpoint = folder / "state" / "sample_app" / "changes.json"
        self._state = folder / "state"
        own = {"SAMPLE_SEEN": str(folder / "seen")}
        self._environment = settings.child_environment(engine.environment(SAMPLE) | own)
        self._running: list[Process] = []

    def start(self) -> Process:
        command = [sys.executable, "-m", "local.pump", str(SAMPLE), "--state", str(self._state)]
        process = Process(command, self._environment)
        self._running.append(process)
        process.wait_until(lambda: "pumping" in process.text(), "the pump")
        return process

    def put(self, key: str) -> None:
        item = {"pk": {"S": key}, "owner": {"S": "someone"}}
        self.engine.client("dynamodb").put_item(TableName="sample-things-local", Item=item)

    def kept_at(self) -> float:
        return self.checkpoint.stat().st_mtime if self.checkpoint.exists() else 0.0

    def wait_for(self, key: str) -> None:
        try:
            self.seen.wait_for("changes", lambda seen: key in seen)
        except TimeoutError as error:
            raise AssertionError("\n".join([str(error), *(process.text() for process in self._running)])) from None

    def close(self) -> None:
        for process in self._running:
            process.stop()


@pytest.fixture(scope="module")
def quiet_engine() -> Iterator[Engine]:
    made = Engine()
    made.start()
    yield made
    made.close()


@pytest.fixture
def pump(quiet_engine: Engine, tmp_path: Path) -> Iterator[Pump]:
    made = Pump(quiet_engine, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("end", [Process.stop, Process.kill])
def test_a_restarted_pump_goes_on_where_it_stood(pump: Pump, end: Callable[[Process], int]) -> None:
    before, meanwhile = unique("before"), unique("meanwhile")
    first = pump.start()
    pump.put(before)
    pump.wait_for(before)
    written = pump.seen.times_of("changes", before)[0]
    until(lambda: pump.kept_at() >= written, SECONDS, "the checkpoint")
    settled = Checkpoint(pump.checkpoint).sequence

    end(first)
    pump.put(meanwhile)
    pump.start()

    pump.wait_for(meanwhile)
    until(lambda: Checkpoint(pump.checkpoint).sequence > settled, SECONDS, "the next checkpoint")
    assert pump.seen.by("changes").count(before) == 1


def test_a_checkpoint_that_the_engine_no_longer_knows_skips_nothing_new(pump: Pump) -> None:
    Checkpoint(pump.checkpoint).reach(1)  # older than anything: the engine's stream never held it
    key = unique("new")
    pump.put(key)

    pump.start()

    pump.wait_for(key)


def test_a_batch_that_was_begun_is_given_again_as_it_was_though_more_has_come(tmp_path: Path) -> None:
    one, two, three = ({"dynamodb": {"SequenceNumber": f"{number:030d}"}} for number in (1, 2, 3))
    file = tmp_path / "checkpoint.json"

    assert Checkpoint(file).batch([one, two]) == [one, two]
    restarted = Checkpoint(file)
    assert restarted.batch([one, two, three]) == [one, two]
    restarted.reach(2)
    assert Checkpoint(file).batch([three]) == [three]


def test_a_batch_whose_records_are_gone_holds_nothing_up(tmp_path: Path) -> None:
    one, two = ({"dynamodb": {"SequenceNumber": f"{number:030d}"}} for number in (1, 2))
    checkpoint = Checkpoint(tmp_path / "checkpoint.json")
    checkpoint.batch([one])

    assert checkpoint.batch([two]) == [two]


def test_an_sqs_record_has_lambdas_names() -> None:
    attributes = {"a": {"DataType": "String", "StringValue": "x"}, "b": {"DataType": "Binary", "BinaryValue": b"\1"}}
    message = {"MessageId": "m", "ReceiptHandle": "r", "Body": "b", "MessageAttributes": attributes}

    (record,) = sqs([message], "arn:aws:sqs:us-east-1:0:q")["Records"]

    assert record["messageAttributes"]["a"]["stringValue"] == "x"
    assert record["messageAttributes"]["b"]["binaryValue"] == "AQ=="
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:0:q"


def test_an_sns_record_without_a_subject_says_null() -> None:
    record = sns({"Message": "x", "Subject": None}, "arn")["Records"][0]["Sns"]

    assert (record["Subject"], record["MessageAttributes"]) == (None, {})


def test_a_stream_record_is_json() -> None:
    record = {"dynamodb": {"Keys": {"pk": {"B": b"\1"}}, "SequenceNumber": "1"}}

    event = stream([record], "arn")

    assert json.loads(json.dumps(event))["Records"][0]["dynamodb"]["Keys"]["pk"]["B"] == "AQ=="


def test_a_bridge_event_has_the_real_shape() -> None:
    assert set(bridge("s", "d", "rule")) == {
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    }
