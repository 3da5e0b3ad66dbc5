"""What callers see."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field, WithJsonSchema

from common.errors import ValidationFailed

from ..domain import Verdict

type Json = dict[str, Any]
Timestamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Identifier = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
LevelName = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
OUT_FIELDS = ("service_name", "timestamp", "log_id", "log_type", "level", "message")


class CreatedOut(BaseModel):
    """A record is kept."""

    message: str = "Log entry created successfully"
    log_id: Identifier
    timestamp: Timestamp
    duplicate: bool | None = Field(default=None, description="true: the same record was kept before")


class ResultOut(BaseModel):
    """What became of one record of a batch."""

    index: int = Field(ge=0)
    status: Literal["stored", "duplicate", "rejected"]
    log_id: str | None
    error: str | None
    retryable: bool


class BatchOut(BaseModel):
    """What became of a batch."""

    accepted: int = Field(ge=0)
    duplicate: int = Field(ge=0)
    rejected: int = Field(ge=0)
    results: list[ResultOut]


class LogOut(BaseModel):
    """One kept record."""

    service_name: str
    timestamp: Timestamp
    log_id: str
    log_type: str
    level: LevelName
    message: str
    metadata: Json


class RecentOut(BaseModel):
    """A page, newest first."""

    count: int = Field(ge=0)
    logs: list[LogOut]
    nextCursor: str | None = Field(description="null at the end")  # noqa: N815  # the contract's name
    partial: bool | None = Field(default=None, description="true: the page ended early; go on with nextCursor")


class TailOut(BaseModel):
    """What came since the cursor, oldest first."""

    count: int = Field(ge=0)
    logs: list[LogOut]
    nextCursor: str  # noqa: N815  # the contract's name
    partial: bool | None = None


class ServiceOut(BaseModel):
    """One service that writes."""

    service_name: str
    first_seen: Timestamp
    last_seen: Timestamp
    levels: dict[LevelName, int] = Field(description="Records of the last 24 h, to the hour")


class ServicesOut(BaseModel):
    """Every service that writes."""

    services: list[ServiceOut]
    count: int = Field(ge=0)


def batch_json(verdicts: Sequence[Verdict]) -> bytes:
    """The body of BatchOut; raises ValidationFailed, which carries the same fields, when every record was rejected."""
    results = [
        {"index": index, "status": v.status, "log_id": v.log_id, "error": v.error, "retryable": v.retryable}
        for index, v in enumerate(verdicts)
    ]
    statuses = Counter(verdict.status for verdict in verdicts)
    body = {
        "accepted": statuses["stored"],
        "duplicate": statuses["duplicate"],
        "rejected": statuses["rejected"],
        "results": results,
    }
    if statuses["rejected"] == len(verdicts):
        raise ValidationFailed("Every record of the batch was rejected; `results` says why.").with_fields(body)
    return orjson.dumps(body)


def page(rows: Sequence[Json], next_cursor: str | None, *, partial: bool) -> bytes:
    """The body of RecentOut or TailOut from stored rows; metadata passes through as the JSON that it is."""
    logs = [{**{name: row[name] for name in OUT_FIELDS}, "metadata": orjson.Fragment(row["metadata"])} for row in rows]
    body = {"count": len(logs), "logs": logs, "nextCursor": next_cursor}
    return orjson.dumps({**body, "partial": True} if partial else body)
