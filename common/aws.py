"""The only maker of AWS clients: one session, one client per service, explicit time-outs and retries."""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 2
ATTEMPTS = 3


@cache
def session() -> "Session":
    """The process's one session."""
    import boto3  # noqa: PLC0415  # 180 ms that a process which never calls AWS does not pay

    return boto3.session.Session()


@cache
def client(service: str) -> Any:  # noqa: ANN401  # boto3 makes its classes at run time; callers name the stub's class
    """The client of one service, made on first use and kept."""
    from botocore.config import Config  # noqa: PLC0415  # as boto3 above

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        parameter_validation=service != "dynamodb",  # a third of a write's CPU; the stores build typed requests
        tcp_keepalive=True,
    )
    return session().client(service, config=config)  # type: ignore[call-overload]  # the stubs want a literal


def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client, with pages decoded by `common.dynamodb`."""
    from common.dynamodb import decode_pages  # noqa: PLC0415  # it imports this module's callers' world

    return _dynamodb(decode_pages)


@cache
def _dynamodb(decode: Any) -> "DynamoDBClient":  # noqa: ANN401
    made: DynamoDBClient = client("dynamodb")
    decode(made)
    return made
