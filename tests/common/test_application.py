"""Whatever happens, a caller gets our headers and our envelope, and we get a line and a metric."""

import itertools
import json
from typing import Any

import pytest
from chalice.app import IAMAuthorizer, Request, Response, SQSEvent

from common import observability
from common.errors import (
    ApplicationError,
    Conflict,
    Detail,
    Forbidden,
    IdempotencyMismatch,
    InProgress,
    NotFound,
    PayloadTooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from common.web import Application, json_reply
from common.web.replies import SECURITY_HEADERS
from tests.common.http import Call, LambdaContext, ask
from tests.fakes.clock import FakeClock

ERRORS: list[tuple[ApplicationError, int, dict[str, str]]] = [
    (ValidationFailed.of("level", "must be a text"), 400, {}),
    (Unauthorized("Sign it.", scheme="AWS4-HMAC-SHA256"), 401, {"WWW-Authenticate": "AWS4-HMAC-SHA256"}),
    (Forbidden("No."), 403, {}),
    (NotFound("Nothing."), 404, {}),
    (Conflict("Twice."), 409, {}),
    (IdempotencyMismatch("Other."), 409, {}),
    (InProgress("Wait."), 409, {"Retry-After": "1"}),
    (PayloadTooLarge("Large."), 413, {}),
    (UnsupportedMediaType("What?"), 415, {}),
    (TooManyRequests("Busy.", retry_after=7), 429, {"Retry-After": "7"}),
    (Unavailable("Down.", retry_after=2), 503, {"Retry-After": "2"}),
]
_numbers = itertools.count()
SECRET = "table simple-log-service-logs-prod"


def refuse(request: Request) -> None:
    if "authorization" not in request.headers:
        raise Unauthorized("Sign it.", scheme="AWS4-HMAC-SHA256")


def an_app() -> Application:
    name = f"sample-{next(_numbers)}"  # a logger keeps the stdout of its first test
    app = Application(name, namespace="Sample", guard=refuse, clock=FakeClock())

    @app.route("/fine", methods=["GET"])
    def fine() -> Response:
        return json_reply({"fine": True})

    @app.route("/guarded", methods=["POST"], content_types=["application/json"], authorizer=IAMAuthorizer())
    def guarded() -> Response:
        raise ValidationFailed.of("body", "is bad")

    @app.route("/broken", methods=["GET"])
    def broken() -> Response:
        raise RuntimeError(SECRET)

    @app.route("/unserialisable", methods=["GET"])
    def unserialisable() -> Any:  # noqa: ANN401  # as a careless view might
        return {"value": object()}

    return app


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def metrics(text: str) -> list[dict[str, Any]]:
    return [line for line in lines(text) if "_aws" in line]


def test_every_answer_carries_the_security_headers_and_the_request_id() -> None:
    answer = ask(an_app(), Call("GET", "/fine"))

    assert (answer.status, answer.json) == (200, {"fine": True})
    assert answer.headers.items() >= SECURITY_HEADERS.items()
    assert answer.headers["X-Request-Id"] == "request-1"
    assert answer.headers["Content-Type"] == "application/json"
    assert not any(name.lower().startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize(("error", "status", "headers"), ERRORS, ids=lambda value: getattr(value, "code", ""))
def test_each_error_of_ours_has_its_status_and_the_envelope(
    error: ApplicationError, status: int, headers: dict[str, str]
) -> None:
    app = an_app()

    @app.route("/error", methods=["GET"])
    def view() -> Response:
        raise error

    answer = ask(app, Call("GET", "/error"))

    details = {"details": [detail._asdict() for detail in error.details]} if error.details else {}
    assert answer.status == status
    assert answer.json == {
        "success": False, "error": error.message, "code": error.code, "requestId": "request-1", **details,
    }  # fmt: skip
    assert answer.headers.items() >= {**headers, **SECURITY_HEADERS}.items()


def test_details_name_each_field() -> None:
    error = ValidationFailed.of("a.b", "is bad")

    assert error.details == (Detail("a.b", "is bad"),)
    assert error.message == "a.b: is bad"


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (Call("DELETE", "/fine"), 405, "MethodNotAllowed"),
        (
            Call("POST", "/guarded", {"Content-Type": "text/plain", "Authorization": "x"}, b"x"),
            415,
            "UnsupportedMediaType",
        ),
        (Call("GET", "/broken"), 500, "InternalError"),
        (Call("GET", "/unserialisable"), 500, "InternalError"),
    ],
    ids=["405", "415", "uncaught", "unserialisable"],
)
def test_what_chalice_answers_itself_is_in_our_envelope(call: Call, status: int, code: str) -> None:
    answer = ask(an_app(), call)

    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json.keys() == {"success", "error", "code", "requestId"}
    assert answer.headers.items() >= {**SECURITY_HEADERS, "X-Request-Id": "request-1"}.items()
    assert SECRET.encode() not in answer.body


def test_a_wrong_method_is_told_the_right_ones() -> None:
    answer = ask(an_app(), Call("DELETE", "/fine"))

    assert answer.headers["Allow"] == "GET"


def test_nobody_is_told_what_is_wrong_with_a_request_before_who_he_is() -> None:
    app = an_app()
    bad = Call("POST", "/guarded", {"Content-Type": "application/json"}, b"{")

    assert ask(app, bad).status == 401
    assert (
        ask(app, Call("POST", "/guarded", {"content-type": "application/json", "AUTHORIZATION": "x"}, b"{")).status
        == 400
    )


def test_a_request_without_an_id_gets_one() -> None:
    event = Call("GET", "/fine").event()
    del event["requestContext"]["requestId"]

    headers = an_app()(event, None)["headers"]

    assert headers["X-Request-Id"] == "00000000-0000-4000-8000-000000000001"


def test_each_request_is_one_line_of_json_with_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    ask(an_app(), Call("GET", "/fine"))

    (line,) = lines(capsys.readouterr().out)
    assert line["message"] == "request"
    assert line["level"] == "INFO"
    assert (line["request_id"], line["route"], line["method"], line["status"]) == ("request-1", "/fine", "GET", 200)


@pytest.mark.parametrize("path", ["/broken", "/unserialisable"])
def test_what_breaks_is_logged_with_the_id_and_counted_once(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    ask(an_app(), Call("GET", path))

    written = capsys.readouterr().out
    (metric,) = metrics(written)
    (definition,) = metric["_aws"]["CloudWatchMetrics"]
    assert definition["Namespace"] == "Sample"
    assert [part["Name"] for part in definition["Metrics"]] == ["ServerErrors"]
    assert metric["service"].startswith("sample-")
    assert all("service" in group for group in definition["Dimensions"])
    errors = [line for line in lines(written) if line.get("level") == "ERROR"]
    assert errors
    assert all(line["request_id"] == "request-1" for line in errors)


def test_a_line_of_one_request_does_not_carry_the_id_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    app = an_app()
    first, second = Call("GET", "/fine").event(), Call("GET", "/fine").event()
    second["requestContext"]["requestId"] = "request-2"

    for event in (first, second):
        app(event, None)

    assert [line["request_id"] for line in lines(capsys.readouterr().out)] == ["request-1", "request-2"]


def test_outside_a_request_nothing_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    observability.count("ServerErrors")

    assert capsys.readouterr().out == ""


def test_a_view_has_a_request_and_nothing_else_does() -> None:
    with pytest.raises(RuntimeError):
        _ = an_app().request


def test_what_an_event_handler_says_and_counts_carries_the_invocations_id(capsys: pytest.CaptureFixture[str]) -> None:
    app = an_app()

    @app.on_sqs_message(queue="jobs")
    def job(event: SQSEvent) -> str:  # noqa: ARG001  # Chalice names it
        observability.count("Jobs")
        observability.log().info("worked")
        return "done"

    answer = app.handler_map["job"]({"Records": []}, LambdaContext(aws_request_id="invocation-7"))

    written = capsys.readouterr().out
    assert answer == "done"
    assert [line["request_id"] for line in lines(written) if line.get("message") == "worked"] == ["invocation-7"]
    assert len(metrics(written)) == 1


def test_what_an_event_handler_raises_is_logged_and_left_to_lambda(capsys: pytest.CaptureFixture[str]) -> None:
    app = an_app()

    @app.on_sqs_message(queue="jobs")
    def job(event: SQSEvent) -> None:  # noqa: ARG001  # as above
        raise RuntimeError("poison")

    with pytest.raises(RuntimeError):
        app.handler_map["job"]({"Records": []}, LambdaContext(aws_request_id="invocation-7"))

    (line,) = lines(capsys.readouterr().out)
    assert (line["message"], line["level"], line["request_id"]) == ("event_failed", "ERROR", "invocation-7")
