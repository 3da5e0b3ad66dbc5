"""The same request twice does its work once: Powertools' idempotency over DynamoDB, for any POST that creates.

The first answer is kept for 24 hours under caller, route and Idempotency-Key. Powertools is imported on the first
request that carries a key.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.clock import Clock
from common.dynamodb import to_wire, translated
from common.errors import IdempotencyMismatch, InProgress, Unavailable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS = 24 * 3600
LARGEST_KEPT = 350_000  # characters; an item may have 400 KB
REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered. An answer that is not `final` is not kept, so that a retry works again."""

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    final: bool = True
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """Who asks for what under which key; `digest` tells one body from another."""

    caller: str
    route: str
    key: str
    digest: str

    @property
    def scope(self) -> str:
        """One text for all that makes the key the caller's own."""
        return hashlib.sha256(f"{self.caller}\x00{self.route}\x00{self.key}".encode()).hexdigest()


class _NotFinalError(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Keeps first answers in one table (`id`, TTL `expiration`)."""

    client: "DynamoDBClient"
    table: str
    clock: Clock

    def once(self, demand: Demand, work: Callable[[], Answer], lambda_context: Any) -> Answer:  # noqa: ANN401
        """Do the work, or give the first answer again.

        Raises IdempotencyMismatch, InProgress, Unavailable, and whatever the work raises.
        """
        from aws_lambda_powertools.utilities.idempotency import exceptions as powertools  # noqa: PLC0415

        try:
            return self._handled(demand, work, lambda_context)
        except _NotFinalError as unfinished:
            return unfinished.answer
        except powertools.IdempotencyValidationError:
            raise IdempotencyMismatch("This Idempotency-Key came before with another request.") from None
        except powertools.IdempotencyAlreadyInProgressError:
            raise InProgress("The first request with this Idempotency-Key is still running.") from None
        except (powertools.IdempotencyPersistenceLayerError, powertools.IdempotencyInconsistentStateError) as error:
            raise Unavailable("The store does not answer. Try again.", retry_after=2) from error

    def _handled(self, demand: Demand, work: Callable[[], Answer], lambda_context: Any) -> Answer:  # noqa: ANN401
        from aws_lambda_powertools.utilities import idempotency as powertools  # noqa: PLC0415

        def handled(*, demand: dict[str, str]) -> dict[str, Any]:  # noqa: ARG001  # Powertools reads it
            answer = work()
            packed = base64.b64encode(zlib.compress(answer.body)).decode()
            if not answer.final or len(packed) > LARGEST_KEPT:
                raise _NotFinalError(answer)
            return {"body": packed, "status": answer.status, "type": answer.media_type}

        guarded = powertools.idempotent_function(
            handled,
            data_keyword_argument="demand",
            persistence_store=powertools.DynamoDBPersistenceLayer(self.table, boto3_client=self.client),
            config=_config(lambda_context),
            key_prefix="answer",
        )
        kept = guarded(demand={"scope": demand.scope, "digest": demand.digest})
        body = zlib.decompress(base64.b64decode(kept["body"]))
        return Answer(body, kept["status"], kept["type"], replayed="replayed" in kept)

    def first_instant(self, demand: Demand) -> int:
        """When this key was first seen, in microseconds: a second attempt stamps its work as the first did."""
        now = self.clock.now_us()
        with translated():
            answer = self.client.update_item(
                TableName=self.table,
                Key={"id": to_wire(f"instant#{demand.scope}")},
                UpdateExpression="SET instant = if_not_exists(instant, :now), expiration = :end",
                ExpressionAttributeValues={":now": to_wire(now), ":end": to_wire(now // 1_000_000 + KEPT_SECONDS)},
                ReturnValues="ALL_NEW",
            )
        return int(answer["Attributes"]["instant"]["N"])


def _config(lambda_context: Any) -> "IdempotencyConfig":  # noqa: ANN401  # Lambda's contract
    from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig  # noqa: PLC0415

    return IdempotencyConfig(
        event_key_jmespath="scope",
        payload_validation_jmespath="digest",
        expires_after_seconds=KEPT_SECONDS,
        hash_function="sha256",
        lambda_context=lambda_context,
        response_hook=lambda answer, _: {**answer, "replayed": True},
    )
