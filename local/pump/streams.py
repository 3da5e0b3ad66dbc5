"""DynamoDB streams: records in order, the same batch until it succeeds, a checkpoint that survives every restart."""

import json
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.pump import events
from local.pump.invocation import Handler, HandlerFailed, failed_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

BUSY_SECONDS = 0.02
IDLE_SECONDS = 0.15
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
LOST_POSITION = {"TrimmedDataAccessException", "ExpiredIteratorException", "ResourceNotFoundException"}

Record = dict[str, Any]


class Checkpoint:
    """The last record a handler has dealt with, and the last of the batch it was given then, in a file.

    A batch that may have been dealt with is given again as it was, not grown by what has come since: handlers know a
    repetition by its first record.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        known = json.loads(file.read_text()) if file.exists() else {"sequence": -1}
        self.sequence = int(known["sequence"])
        self._until = int(known.get("until", self.sequence))

    def batch(self, records: list[Record]) -> list[Record]:
        """Those of the next records that are to be given now; remembered before they are."""
        begun = [record for record in records if sequence(record) <= self._until]
        if records and not begun:
            self._until = sequence(records[-1])
            self._write()
        return begun or records

    def reach(self, sequence: int) -> None:
        """Remember, also after a kill at any moment."""
        self.sequence = sequence
        self._write()

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps({"sequence": str(self.sequence), "until": str(self._until)}))
        fresh.replace(self._file)


class StreamSource:
    """The stream of one table.

    It begins with the oldest record that is kept: on one machine the mapping is as old as the table. Sequence numbers
    only grow, also from one stream of a table to the next, so records up to the checkpoint are passed over after an
    engine that was killed, or a table that was made again.
    """

    def __init__(self, clients: "tuple[DynamoDBClient, DynamoDBStreamsClient]", handler: Handler, file: Path) -> None:
        self._dynamodb, self._streams = clients
        self._handler = handler
        self._checkpoint = Checkpoint(file)
        self._iterator: str | None = None
        self._failures = 0
        self._pause = IDLE_SECONDS
        self.name = handler.name
        self.arn = ""
        self.batch_size = 100

    def step(self) -> None:
        """Deliver the next batch, or rest."""
        if self._iterator is None:
            self._iterator = self._begin()
        try:
            page = self._streams.get_records(ShardIterator=self._iterator, Limit=self.batch_size)
        except ClientError as error:
            if error.response["Error"]["Code"] not in LOST_POSITION:
                raise
            self._iterator = None
            sleep(IDLE_SECONDS)
            return
        records = [dict(record) for record in page["Records"] if sequence(record) > self._checkpoint.sequence]
        batch = self._checkpoint.batch(records)
        if (not batch or self._deliver(batch)) and len(batch) == len(records):
            self._iterator = page.get("NextShardIterator")
        self._rest(bool(page["Records"]))

    def _begin(self) -> str:
        """The oldest position of the table's current stream, or where the checkpoint stands."""
        table = self.arn.split(":table/")[1].partition("/")[0]
        self.arn = self._dynamodb.describe_table(TableName=table)["Table"].get("LatestStreamArn", self.arn)
        shard = self._streams.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"][0]["ShardId"]
        where: Any = {"StreamArn": self.arn, "ShardId": shard}
        if self._checkpoint.sequence >= 0:
            after: Any = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": f"{self._checkpoint.sequence:030d}",
            }
            try:
                return self._streams.get_shard_iterator(**where, **after)["ShardIterator"]
            except ClientError as error:
                if error.response["Error"]["Code"] not in LOST_POSITION:
                    raise
        return self._streams.get_shard_iterator(**where, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]

    def _deliver(self, records: list[Record]) -> bool:
        """Whether the whole batch is done; what is done is remembered in any case."""
        try:
            failed = {int(number) for number in failed_items(self._handler(events.stream(records, self.arn)))}
        except HandlerFailed:
            self._failures += 1
            return False
        done = [sequence(record) for record in records if not failed or sequence(record) < min(failed)]
        if done:
            self._checkpoint.reach(done[-1])
        self._failures = self._failures + 1 if failed else 0
        return not failed

    def _rest(self, busy: bool) -> None:  # noqa: FBT001  # one caller, beside it
        if self._failures:
            sleep(RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1])
        elif not busy:
            sleep(IDLE_SECONDS)


def sequence(record: Any) -> int:  # noqa: ANN401  # a record, as botocore's stub or as a dictionary
    """A record's place in its stream."""
    return int(record["dynamodb"]["SequenceNumber"])
