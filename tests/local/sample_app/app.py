"""A small Chalice application with one of everything that the local stack serves and delivers."""

# ruff: noqa: ANN401  # chalice ships no types

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from chalice.app import AuthRequest, AuthResponse, Chalice, Rate, Request, Response

app = Chalice(app_name="sample", configure_logs=False)
app.api.binary_types = ["application/octet-stream"]
SEEN = Path(os.environ.get("SAMPLE_SEEN", os.devnull))


def note(handler: str, value: Any) -> None:
    """Write down what reached a handler."""
    with SEEN.open("a") as file:
        file.write(json.dumps({"handler": handler, "value": value, "at": time.time()}) + "\n")


def current() -> Request:
    """The request being answered."""
    assert app.current_request
    return app.current_request


def times(handler: str, value: Any) -> int:
    """How often a value has reached a handler."""
    lines = [json.loads(line) for line in SEEN.read_text().splitlines()]
    return sum(line["handler"] == handler and line["value"] == value for line in lines)


@app.authorizer()
def guard(request: AuthRequest) -> AuthResponse:
    if request.token == "explode":
        raise RuntimeError("the authorizer's secret text")
    return AuthResponse(routes=["*"] if request.token == "good" else [], principal_id="someone")


@app.route("/health")
def health() -> dict[str, str]:
    return {"status": "healthy", "version": "1"}


@app.route("/echo", methods=["POST"], content_types=["*/*"])
def echo() -> dict[str, Any]:
    request = current()
    event = request.to_original_event()
    return {
        "length": len(request.raw_body),
        "base64": event["isBase64Encoded"],
        "requestId": request.context["requestId"],
        "sourceIp": request.context["identity"]["sourceIp"],
        "stage": os.environ["STAGE"],
        "greeting": os.environ["GREETING"],
        "remaining": app.lambda_context.get_remaining_time_in_millis(),
        "function": app.lambda_context.function_name,
    }


@app.route("/query/{name}")
def query(name: str) -> dict[str, Any]:
    values = current().query_params
    return {"name": name, "values": {key: values.getlist(key) for key in values} if values else None}


@app.route("/guarded", authorizer=guard)
def guarded() -> dict[str, str]:
    return {"who": current().context["authorizer"]["principalId"]}


@app.route("/crash")
def crash() -> dict[str, object]:
    return {"not": object()}


@app.route("/huge")
def huge() -> Response:
    return Response("x" * (7 * 1024 * 1024), headers={"Content-Type": "text/plain"})


@app.route("/nothing", methods=["DELETE"])
def nothing() -> Response:
    return Response("", status_code=204)


@app.on_sqs_message(queue="sample-jobs-local", batch_size=5)
def jobs(event: Any) -> dict[str, Any] | None:
    failed = []
    for record in event:
        note("jobs", record.body)
        if record.body.startswith("raise") and times("jobs", record.body) < 2:
            raise RuntimeError("the whole batch fails once")
        if record.body.startswith("poison") or (record.body.startswith("partial") and times("jobs", record.body) < 2):
            failed.append({"itemIdentifier": record.to_dict()["messageId"]})
    return {"batchItemFailures": failed}


@app.on_cw_event({"source": ["aws.securityhub", "custom"], "detail": {"kind": ["wanted"]}})
def findings(event: Any) -> None:
    note("findings", event.detail["id"])
    if event.detail["id"].startswith("again") and times("findings", event.detail["id"]) < 2:
        raise RuntimeError("once")


@app.schedule(Rate(1, unit=Rate.HOURS))
def hourly(event: Any) -> dict[str, str]:
    note("hourly", event.detail_type)
    return {"fired": event.detail_type, "source": event.source}


@app.on_sns_message(topic="sample-news-local")
def news(event: Any) -> None:
    record = event.to_dict()["Records"][0]["Sns"]
    note("news", [event.subject, event.message, event.message_attributes, record["TopicArn"]])


@app.on_dynamodb_record(stream_arn=os.environ.get("THINGS_STREAM_ARN", "arn:aws:dynamodb:us-east-1:0:table/t/stream/s"))
def changes(event: Any) -> None:
    for record in event:
        key = record.keys["pk"]["S"]
        note("changes", key)
        if key.startswith("again") and times("changes", key) < 2:
            raise RuntimeError("once")


@app.lambda_function()
def sums(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "numbers" not in event:
        sys.stderr.write("no numbers\n")
        raise ValueError("numbers are missing")
    return {"sum": sum(event["numbers"]), "remaining": context.get_remaining_time_in_millis()}
