"""log_service's doors: its routes and the stream of its table. Parse, one service call, reply."""

from collections.abc import Callable
from typing import Any

from chalice.app import DynamoDBEvent, IAMAuthorizer, Response

from chalicelib import VERSION, wiring
from chalicelib.domain import Verdict
from chalicelib.schemas import (
    CreatedOut,
    LogIn,
    NoQuery,
    RecentQuery,
    TailQuery,
    batch_json,
    contract,
    media_type,
    otlp_answer,
    read_batch,
    read_otlp,
)
from chalicelib.service import Sender
from chalicelib.service import count_records as count
from chalicelib.settings import logs_stream_arn
from common.events import inserted
from common.idempotency import Answer
from common.openapi import document, operation
from common.web import Application, Limits, body_of, demand_of, json_body, json_reply, once, query_of, reply

MIB = 1024 * 1024
ONE = Limits(sent=MIB, inflated=MIB)
BATCH = Limits(sent=4 * MIB, inflated=5 * MIB)
SIGNED = IAMAuthorizer()

app = Application("log_service", namespace="SimpleLogService", guard=wiring.caller)


@app.route("/logs", methods=["POST"], content_types=contract.JSON_ONLY, authorizer=SIGNED)
@operation(contract.CREATE_LOG)
def create_log() -> Response:
    """Keep one record."""
    entry = json_body(LogIn, app.request, ONE)
    return sent(lambda sender: created(wiring.ingest().one(entry, sender)))


@app.route("/logs/batch", methods=["POST"], content_types=contract.JSON_OR_NDJSON, authorizer=SIGNED)
@operation(contract.CREATE_LOGS)
def create_logs() -> Response:
    """Keep up to 1,000 records; one bad record never refuses the others."""
    entries = read_batch(body_of(app.request, BATCH), content_type())
    return sent(lambda sender: judged(wiring.ingest().many(entries, sender)))


@app.route("/v1/logs", methods=["POST"], content_types=contract.JSON_OR_PROTOBUF, authorizer=SIGNED)
@operation(contract.EXPORT_LOGS)
def export_logs() -> Response:
    """Keep the records of an OTLP ExportLogsServiceRequest."""
    kind = content_type()
    entries = read_otlp(body_of(app.request, BATCH), kind)
    return sent(lambda sender: Answer(otlp_answer(wiring.ingest().whole(entries, sender), kind), media_type=kind))


@app.route("/logs/recent", methods=["GET"], authorizer=SIGNED)
@operation(contract.RECENT)
def recent_logs() -> Response:
    """The newest records, page by page."""
    return reply(wiring.reader().recent(query_of(RecentQuery, app.request)))


@app.route("/logs/tail", methods=["GET"], authorizer=SIGNED)
@operation(contract.TAIL)
def tail_logs() -> Response:
    """The records that come now, oldest first, by long poll, two seconds behind now."""
    return reply(wiring.reader().tail(query_of(TailQuery, app.request)))


@app.route("/services", methods=["GET"], authorizer=SIGNED)
@operation(contract.SERVICES)
def services() -> Response:
    """Every service that writes, with its records of the last 24 hours by level."""
    query_of(NoQuery, app.request)
    return json_reply(wiring.reader().services().model_dump())


@app.route("/health", methods=["GET"])
@operation(contract.HEALTH)
def health() -> Response:
    """Whether our own store answers."""
    query_of(NoQuery, app.request)
    found = wiring.health()
    return json_reply(found.model_dump(by_alias=True), found.http_status)


@app.route("/openapi.json", methods=["GET"])
@operation(contract.OPENAPI)
def openapi() -> Response:
    """This document."""
    query_of(NoQuery, app.request)
    return json_reply(document(app, VERSION, contract.SECURITY))


@app.on_dynamodb_record(stream_arn=logs_stream_arn(), batch_size=90)
def count_records(event: DynamoDBEvent) -> dict[str, Any]:
    """Count what was stored, per service, hour and level."""
    return {"counted": count(wiring.register(), inserted(event.to_dict()), wiring.CLOCK)}


def sent(work: Callable[[Sender], Answer]) -> Response:
    """Reply with what the work answers for this sender, once per Idempotency-Key."""
    query_of(NoQuery, app.request)
    who = wiring.caller(app.request)
    demand = demand_of(app.request, who)
    sender = wiring.sender(who, demand)
    return once(app.request, wiring.idempotency, demand, lambda: work(sender))


def created(view: CreatedOut) -> Answer:
    """201 for a record that is new, 200 for one that was there."""
    return Answer(view.model_dump_json(exclude_none=True).encode(), status=200 if view.duplicate else 201)


def judged(verdicts: list[Verdict]) -> Answer:
    """200 with a verdict for each; an answer that asks for a retry is not kept."""
    return Answer(batch_json(verdicts), final=not any(verdict.retryable for verdict in verdicts))


def content_type() -> str:
    """The request's media type; JSON when it names none."""
    return media_type(app.request.headers.get("content-type", contract.JSON))
