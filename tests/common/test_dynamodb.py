"""DynamoDB's typed JSON, exact numbers, pages, batches, and what its errors mean."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from common import observability
from common.dynamodb import (
    BATCH_ATTEMPTS,
    conditional,
    decode_pages,
    from_wire,
    item_from_wire,
    item_to_wire,
    put_many,
    query,
    query_all,
    to_wire,
    transact,
    translated,
)
from common.errors import ApplicationError, TooManyRequests, Unavailable
from tests.fakes.clock import FakeClock
from tests.log_service.store_contract import make_table

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
NUMBERS = st.integers(-(10**38) + 1, 10**38 - 1) | st.decimals(-1000, 1000, places=5)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | st.binary(max_size=5),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(TEXT, parts, max_size=3),
    max_leaves=10,
)


def an_error(code: str, **more: Any) -> ClientError:  # noqa: ANN401  # parts of an answer
    answer: Any = {"Error": {"Code": code, "Message": "secret"}, **more}
    return ClientError(answer, "PutItem")


@given(PLAIN)
def test_a_value_comes_back_exactly(value: Any) -> None:  # noqa: ANN401  # any plain value
    back = from_wire(to_wire(value))

    assert back == value
    assert isinstance(back, type(value)) or isinstance(value, Decimal)


@pytest.mark.parametrize("value", [1.5, float("nan"), object()])
def test_what_dynamodb_cannot_hold_exactly_is_refused_by_type(value: Any) -> None:  # noqa: ANN401  # anything wrong
    with pytest.raises(TypeError):
        to_wire(value)


def test_a_number_without_a_fraction_is_an_int() -> None:
    values = [from_wire({"N": text}) for text in ("0", "-17", "1.0", "1E+2")]

    assert values == [0, -17, Decimal("1.0"), Decimal(100)]
    assert [type(value) for value in values] == [int, int, Decimal, Decimal]


@pytest.mark.parametrize("backend", ["engine", "dynamodb_local"])
def test_pages_are_decoded_as_botocore_would(backend: str, request: pytest.FixtureRequest) -> None:
    made = request.getfixturevalue(backend).client
    plain, fast = made("dynamodb"), made("dynamodb", read_timeout=29)
    table = make_table(plain, "ServicesTable")
    item: dict[str, Any] = {
        "pk": "a",
        "sk": "1",
        "n": 10**37,
        "d": Decimal("0.1"),
        "x": None,
        "t": True,
        "b": b"\x00\xff",
        "e": "",
    }
    deep: dict[str, Any] = {"m": {"l": [1, "é", {"k": [b"1", None]}]}}
    for number in range(3):
        plain.put_item(TableName=table, Item=item_to_wire({**item, **deep, "sk": str(number)}))
    ask = {"TableName": table, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "a"}}}
    decode_pages(fast)
    decode_pages(fast)

    for more in ({}, {"Limit": 2}, {"FilterExpression": "attribute_exists(nothing)"}):
        page, slow = query(fast, {**ask, **more}), query(plain, {**ask, **more})
        assert page == slow
    assert query(fast, ask).items[0] == {**item, **deep, "sk": "0"}
    assert len(list(query_all(fast, {**ask, "Limit": 1}))) == 3


def test_an_item_of_a_stream_is_read_as_one_of_a_page() -> None:
    assert item_from_wire({"b": {"B": "AP8="}, "n": {"N": "1"}}) == {"b": b"\x00\xff", "n": 1}


# ---- errors ----------------------------------------------------------------------------------------------------------

MEANINGS: list[tuple[Exception, int]] = [
    (an_error("ProvisionedThroughputExceededException"), 429),
    (an_error("ThrottlingException"), 429),
    (an_error("RequestLimitExceeded"), 429),
    (an_error("InternalServerError"), 503),
    (an_error("ResourceNotFoundException"), 503),
    (an_error("AccessDeniedException"), 503),
    (an_error("KMSAccessDeniedException"), 503),
    (an_error("KMSDisabledException"), 503),
    (an_error("UnrecognizedClientException"), 503),
    (an_error("ItemCollectionSizeLimitExceededException"), 503),
    (ConnectTimeoutError(endpoint_url="http://x"), 503),
    (EndpointConnectionError(endpoint_url="http://x"), 503),
    (NoCredentialsError(), 503),
]


@pytest.mark.parametrize(("error", "status"), MEANINGS, ids=lambda value: str(value)[:60])
def test_each_failure_means_something_to_a_caller(error: Exception, status: int) -> None:
    with pytest.raises(ApplicationError) as raised, translated():
        raise error

    assert raised.value.status == status
    assert int(raised.value.headers["Retry-After"]) >= 1
    assert "secret" not in raised.value.message


@pytest.mark.parametrize("code", ["ValidationException", "SerializationException"])
def test_a_fault_of_ours_stays_one(code: str) -> None:
    with pytest.raises(ClientError), translated():
        raise an_error(code)


def test_throttling_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = observability.Telemetry.of("sample-throttled", "Sample")

    with pytest.raises(TooManyRequests), observability.observed(telemetry, request_id="1"), translated():
        raise an_error("ThrottlingException")

    (metric,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (definition,) = metric["_aws"]["CloudWatchMetrics"]
    assert (definition["Namespace"], definition["Metrics"][0]["Name"]) == ("Sample", "DynamoDBThrottles")
    assert metric["DynamoDBThrottles"] == [1]
    assert metric["service"] == "sample-throttled"


def test_a_condition_that_did_not_hold_is_an_answer() -> None:
    def refused() -> None:
        raise an_error("ConditionalCheckFailedException")

    assert conditional(refused) is False
    assert conditional(lambda: None) is True


# ---- batches ---------------------------------------------------------------------------------------------------------


@dataclass
class Writer:
    """A client whose answers to BatchWriteItem are `script`: how many items it takes, or an error; then all."""

    script: list[int | Exception]
    calls: int = 0
    taken: list[int] = field(default_factory=list)

    def batch_write_item(self, *, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803  # AWS's name
        self.calls += 1
        requests = RequestItems["t"]
        says = self.script.pop(0) if self.script else len(requests)
        if isinstance(says, Exception):
            raise says
        self.taken += [int(request["PutRequest"]["Item"]["n"]["N"]) for request in requests[:says]]
        return {"UnprocessedItems": {"t": requests[says:]} if requests[says:] else {}}


def put(writer: Writer, number: int, clock: FakeClock | None = None) -> list[int]:
    items = [item_to_wire({"n": n}) for n in range(number)]
    left = put_many(writer, "t", items, clock or FakeClock())  # type: ignore[arg-type]  # a fake
    return [int(item["n"]["N"]) for item in left]


@pytest.mark.parametrize(("number", "calls"), [(0, 0), (1, 1), (25, 1), (26, 2), (1000, 40)])
def test_items_are_written_25_a_call(number: int, calls: int) -> None:
    writer = Writer([])

    assert put(writer, number) == []
    assert writer.calls == calls
    assert writer.taken == list(range(number))


def test_what_was_not_processed_is_tried_again_after_a_pause() -> None:
    writer, clock = Writer([10, 0, 3]), FakeClock()

    assert put(writer, 25, clock) == []
    assert sorted(writer.taken) == list(range(25))
    assert (writer.calls, len(clock.pauses)) == (4, 3)


def test_a_table_that_stays_busy_ends_the_batch_and_says_what_is_left() -> None:
    writer, clock = Writer([25, 5, 0, 0, 0, 0]), FakeClock()

    left = put(writer, 100, clock)

    assert left == list(range(30, 100))
    assert writer.calls == 1 + BATCH_ATTEMPTS
    assert len(clock.pauses) == BATCH_ATTEMPTS - 1


@pytest.mark.parametrize("error", [an_error("ThrottlingException"), NoCredentialsError()], ids=["busy", "down"])
def test_a_first_call_that_fails_is_raised_and_a_later_one_is_what_is_left(error: Exception) -> None:
    with pytest.raises(ApplicationError):
        put(Writer([error]), 60)

    assert put(Writer([25, error]), 60) == list(range(25, 60))
    assert put(Writer([20, error]), 60) == list(range(20, 60))


# ---- transactions ----------------------------------------------------------------------------------------------------


@dataclass
class Transactor:
    script: list[Exception]
    calls: int = 0

    def transact_write_items(self, **_: object) -> None:
        self.calls += 1
        if self.script:
            raise self.script.pop(0)


def cancelled(*codes: str) -> ClientError:
    return an_error("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


HOLDING: list[tuple[list[Exception], int]] = [
    ([], 1),
    ([cancelled("None", "TransactionConflict"), an_error("TransactionConflictException")], 3),
    ([cancelled("ThrottlingError")], 2),
]


@pytest.mark.parametrize(("script", "calls"), HOLDING)
def test_conflicts_of_a_transaction_are_tried_again(script: list[Exception], calls: int) -> None:
    transactor = Transactor(list(script))

    assert transact(transactor, [], FakeClock()) is True  # type: ignore[arg-type]  # a fake
    assert transactor.calls == calls


def test_a_transaction_whose_condition_did_not_hold_says_so() -> None:
    transactor = Transactor([cancelled("ConditionalCheckFailed", "None")])

    assert transact(transactor, [], FakeClock()) is False  # type: ignore[arg-type]  # a fake
    assert transactor.calls == 1


def test_conflicts_without_end_are_a_busy_store() -> None:
    transactor = Transactor([cancelled("TransactionConflict") for _ in range(50)])

    with pytest.raises(TooManyRequests):
        transact(transactor, [], FakeClock())  # type: ignore[arg-type]  # a fake


def test_a_store_that_is_down_ends_a_transaction() -> None:
    with pytest.raises(Unavailable):
        transact(Transactor([an_error("InternalServerError")]), [], FakeClock())  # type: ignore[arg-type]  # a fake
