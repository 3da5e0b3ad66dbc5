"""What the engine has acknowledged is there after a kill at any moment, once, and so is what its streams said."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.engine.configuration import held
from local.engine.journal import FIRST, Journal
from local.pump.__main__ import run
from local.pump.streams import StreamSource
from local.waiting import until
from tests.support.engine import Engine

if TYPE_CHECKING:
    from local.pump.invocation import Handler

TABLE = "kept"
WRITERS = 4
KILLS = 5
SECONDS = 30
ONCE = {"retries": {"total_max_attempts": 1}}


class Writers:
    """Threads that put new items and count them in one item, until the engine is gone."""

    def __init__(self, engine: Engine, run: int) -> None:
        self._dynamodb = engine.client("dynamodb", **ONCE)
        self._run = run
        self.items: list[str] = []
        self.adds = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def _write(self, writer: int) -> None:
        with suppress(BotoCoreError, ClientError):
            for number in range(1_000_000):
                key = f"{self._run}-{writer}-{number}"
                put(self._dynamodb, key)
                self.items.append(key)
                add(self._dynamodb)
                with self._lock:
                    self.adds += 1

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(SECONDS)


def put(dynamodb: Any, key: str, **options: Any) -> None:  # noqa: ANN401  # boto3 makes its classes at run time
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": key}, "text": {"S": "é\n" * 20}}, **options)


def add(dynamodb: Any) -> None:  # noqa: ANN401  # as above
    key, one = {"pk": {"S": "counter"}}, {":one": {"N": "1"}}
    dynamodb.update_item(TableName=TABLE, Key=key, UpdateExpression="ADD c :one", ExpressionAttributeValues=one)


def get(engine: Engine, key: str) -> Any:  # noqa: ANN401  # an item
    return engine.client("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": key}}).get("Item")


def count(engine: Engine) -> int:
    return int((get(engine, "counter") or {"c": {"N": "0"}})["c"]["N"])


def keys(engine: Engine) -> list[str]:
    pages = engine.client("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
    return [item["pk"]["S"] for page in pages for item in page["Items"]]


def again(engine: Engine) -> None:
    engine.kill()
    engine.start()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def table(kept: Engine) -> Engine:
    kept.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return kept


class Reader:
    """The pump's way through the stream, with its checkpoint: what a handler would get, run after run."""

    name = "reader"

    def __init__(self, engine: Engine, file: Path) -> None:
        self.records: list[dict[str, Any]] = []
        clients = (engine.client("dynamodb", **ONCE), engine.client("dynamodbstreams", **ONCE))
        self._source = StreamSource(clients, cast("Handler", self), file)
        self._source.arn = clients[0].describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
        self._done = threading.Event()

    def __call__(self, event: dict[str, Any]) -> None:
        self.records += event["Records"]

    def inserted(self) -> list[str]:
        inserts = [record["dynamodb"] for record in self.records if record["eventName"] == "INSERT"]
        return [insert["Keys"]["pk"]["S"] for insert in inserts]

    @contextmanager
    def reading(self) -> Iterator[None]:
        thread = threading.Thread(target=run, args=(self.name, lambda: self._source, self._done))
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join(SECONDS)


def test_nothing_acknowledged_is_lost_and_nothing_counted_twice_by_kills_at_any_moment(table: Engine) -> None:
    chance = random.Random()  # noqa: S311  # moments, not secrets
    acknowledged: list[str] = []
    adds = 0

    for number in range(KILLS):
        writers, enough = Writers(table, number), chance.randint(1, 400)
        until(lambda writers=writers, enough=enough: len(writers.items) >= enough, SECONDS, "writes")  # type: ignore[misc]
        table.kill()
        writers.wait()
        table.start()
        acknowledged += writers.items
        adds += writers.adds

        assert set(acknowledged) - set(keys(table)) == set()
        assert adds <= count(table) <= adds + WRITERS
        adds = count(table)


def test_a_stream_tells_of_every_acknowledged_item_once_across_kills(table: Engine, tmp_path: Path) -> None:
    reader, acknowledged = Reader(table, tmp_path / "checkpoint.json"), list[str]()

    with reader.reading():
        for number in range(3):
            writers, before = Writers(table, number), len(reader.records)
            until(lambda before=before: len(reader.records) > before + 100, SECONDS, "records")  # type: ignore[misc]
            table.kill()
            writers.wait()
            table.start()
            acknowledged += writers.items
        put(table.client("dynamodb"), "last")
        until(lambda: "last" in reader.inserted(), SECONDS, "the last record")

    assert set(acknowledged) - set(reader.inserted()) == set()
    assert [key for key, times in Counter(reader.inserted()).items() if times > 1] == []
    assert max(Counter(record["eventID"] for record in reader.records).values()) == 1


def test_a_replayed_record_is_the_one_that_was_read_before_the_kill(table: Engine) -> None:
    put(table.client("dynamodb"), "one")
    put(table.client("dynamodb"), "two")
    before = all_records(table)

    again(table)

    assert all_records(table) == before
    assert len(before) == 2


def all_records(engine: Engine) -> list[Any]:
    streams = engine.client("dynamodbstreams")
    arn = engine.client("dynamodb").describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    begin = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return list(streams.get_records(ShardIterator=begin["ShardIterator"])["Records"])


def test_the_first_write_to_a_table_survives_a_kill_at_once(table: Engine) -> None:
    put(table.client("dynamodb"), "first")

    again(table)

    assert keys(table) == ["first"]


def test_a_line_torn_by_the_kill_is_passed_over_and_the_next_run_writes_on(table: Engine, state: Path) -> None:
    put(table.client("dynamodb"), "one")
    put(table.client("dynamodb"), "two")
    table.kill()
    newest = max(state.glob("journal-*"))
    newest.write_bytes(newest.read_bytes() + b'[["item","000000000000","us-east-1","kept"')

    table.start()
    put(table.client("dynamodb"), "three")
    again(table)

    assert sorted(keys(table)) == ["one", "three", "two"]


def test_a_kill_while_a_snapshot_is_written_loses_nothing(table: Engine, state: Path) -> None:
    dynamodb, large = table.client("dynamodb"), {"S": "x" * 100_000}
    for number in range(100):
        dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": f"large-{number}"}, "text": large})
    until(lambda: len(list(state.glob("snapshot-*"))) > 1, SECONDS, "a snapshot to begin")
    put(dynamodb, "meanwhile")

    again(table)

    assert len(keys(table)) == 101


def test_while_snapshots_fail_the_journals_are_kept(table: Engine, state: Path) -> None:
    put(table.client("dynamodb"), "one")
    (state / "next").mkdir()  # where the next link would be
    put(table.client("dynamodb"), "two")
    first = len(list(state.glob("journal-*")))
    until(lambda: len(list(state.glob("journal-*"))) > first, SECONDS, "a snapshot to begin")
    put(table.client("dynamodb"), "three")

    again(table)
    put(table.client("dynamodb"), "four")
    again(table)

    assert sorted(keys(table)) == ["four", "one", "three", "two"]


def test_a_snapshot_makes_the_journals_before_it_superfluous(table: Engine, state: Path) -> None:
    put(table.client("dynamodb"), "one")
    put(table.client("dynamodb"), "two")

    until(lambda: not any(journal.stat().st_size for journal in state.glob("journal-*")), SECONDS, "a snapshot")

    again(table)
    assert sorted(keys(table)) == ["one", "two"]


def test_a_stop_leaves_nothing_to_replay(table: Engine, state: Path) -> None:
    put(table.client("dynamodb"), "one")
    put(table.client("dynamodb"), "two")

    table.stop()

    assert list(Journal(state).lines()) == []
    table.start()
    assert sorted(keys(table)) == ["one", "two"]


def test_a_write_that_was_refused_is_not_replayed(table: Engine) -> None:
    dynamodb = table.client("dynamodb")
    put(dynamodb, "one")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.put_item(
            TableName=TABLE,
            Item={"pk": {"S": "one"}, "text": {"S": "other"}},
            ConditionExpression="attribute_not_exists(pk)",
        )
    with pytest.raises(ClientError, match="TransactionCanceled"):
        transact(dynamodb, "one", "two")

    again(table)

    assert keys(table) == ["one"]
    assert get(table, "one")["text"] == {"S": "é\n" * 20}


def transact(dynamodb: Any, *names: str, token: str = "") -> None:  # noqa: ANN401  # as above
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    puts: list[Any] = [{"Put": {"TableName": TABLE, "Item": {"pk": {"S": name}}, **condition}} for name in names]
    options = {"ClientRequestToken": token} if token else {}
    dynamodb.transact_write_items(TransactItems=puts, **options)


def test_a_transaction_is_replayed_whole_and_its_repetition_is_still_the_same_one(table: Engine) -> None:
    dynamodb = table.client("dynamodb")
    put(dynamodb, "before")
    transact(dynamodb, "one", "two", token="asked-once")

    again(table)
    transact(dynamodb, "one", "two", token="asked-once")

    assert sorted(keys(table)) == ["before", "one", "two"]


def test_every_way_to_write_is_replayed(table: Engine) -> None:
    dynamodb = table.client("dynamodb")
    for name in ("put", "deleted", "deleted in a batch", "deleted by statement"):
        put(dynamodb, name)
    add(dynamodb)
    dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "deleted"}})
    batch: list[Any] = [{"PutRequest": {"Item": {"pk": {"S": "batch"}}}}]
    batch += [{"DeleteRequest": {"Key": {"pk": {"S": "deleted in a batch"}}}}]
    dynamodb.batch_write_item(RequestItems={TABLE: batch})
    dynamodb.execute_statement(Statement=f"INSERT INTO {TABLE} VALUE {{'pk': 'statement'}}")
    delete = f"DELETE FROM {TABLE} WHERE pk='deleted by statement'"  # noqa: S608  # a test's own words
    dynamodb.batch_execute_statement(Statements=[{"Statement": delete}])
    update = f"UPDATE {TABLE} SET n=7 WHERE pk='statement'"  # noqa: S608  # as above
    dynamodb.execute_transaction(TransactStatements=[{"Statement": update}])

    again(table)

    assert sorted(keys(table)) == ["batch", "counter", "put", "statement"]
    assert get(table, "statement")["n"] == {"N": "7"}
    assert count(table) == 1


def test_a_transaction_of_statements_that_is_rolled_back_is_not_replayed(table: Engine) -> None:
    dynamodb = table.client("dynamodb")
    put(dynamodb, "one")
    statements = [f"INSERT INTO {TABLE} VALUE {{'pk': '{name}'}}" for name in ("two", "one")]
    with pytest.raises(ClientError, match="TransactionCanceled"):
        dynamodb.execute_transaction(TransactStatements=[{"Statement": statement} for statement in statements])

    again(table)

    assert keys(table) == ["one"]


def test_writes_to_a_table_that_is_made_again_do_not_reach_its_successor(table: Engine) -> None:
    dynamodb = table.client("dynamodb")
    put(dynamodb, "old")
    definition = dynamodb.describe_table(TableName=TABLE)["Table"]
    dynamodb.delete_table(TableName=TABLE)
    again_made = {name: definition[name] for name in ("TableName", "KeySchema", "AttributeDefinitions")}
    dynamodb.create_table(**again_made, BillingMode="PAY_PER_REQUEST")
    put(dynamodb, "new")

    again(table)

    assert keys(table) == ["new"]


def test_a_state_folder_belongs_to_one_engine_at_a_time(state: Path) -> None:
    with held(state), pytest.raises(TimeoutError, match="another engine"), held(state, seconds=0):
        pass


def test_a_journal_has_whole_lines_in_the_order_of_the_journals_since_the_snapshot(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    journal = Journal(tmp_path)
    for line in (b"1", b"2"):
        journal.begin()
        journal.append(line)
    (tmp_path / "current" / FIRST).write_text(str(journal.number))
    journal.begin()
    journal.append(json.dumps("3").encode())

    following = Journal(tmp_path)
    following.begin()
    following.forget()

    assert list(Journal(tmp_path).lines()) == [b"2\n", b'"3"\n']
    assert len(list(tmp_path.glob("journal-*"))) == 3
