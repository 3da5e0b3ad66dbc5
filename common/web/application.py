"""The application factory: a Chalice that answers every request with our headers and every failure in our envelope."""

from collections.abc import Callable
from typing import Any

from chalice.app import Chalice, Request, Response

from common import observability
from common.clock import Clock, SystemClock
from common.errors import ApplicationError
from common.web.replies import SECURITY_HEADERS, error_reply, in_envelope, internal_reply

REQUEST_ID = "X-Request-Id"
LONGEST_REQUEST_ID = 128
EVENTS = ("cloudwatch", "dynamodb", "kinesis", "pure_lambda", "s3", "scheduled", "sns", "sqs")


class Application(Chalice):
    """A Chalice application with the house's manners.

    Chalice answers some failures itself, hands only some exceptions to middleware, and serialises outside both; so the
    manners stand around the whole of it: `__call__` is what Lambda, `chalice local` and the test client call alike.
    """

    def __init__(
        self, app_name: str, namespace: str, guard: Callable[[Request], object], clock: Clock | None = None
    ) -> None:
        """Make the application; its metrics go to `namespace`.

        `guard` raises for a caller that may not pass. It is asked before every route that names an authorizer or an
        API key for the gateway.
        """
        super().__init__(app_name=app_name, configure_logs=False)
        self._guard = guard
        self._clock = clock or SystemClock()
        self._telemetry = observability.Telemetry.of(app_name, namespace)
        self.api.binary_types = ["*/*"]  # bodies reach us byte for byte: gzip, protobuf
        self.register_middleware(self._mannered, "http")
        for kind in EVENTS:
            self.register_middleware(self._heard, kind)

    @property
    def request(self) -> Request:
        """The request being answered; only views ask for it."""
        request: Request | None = getattr(self, "current_request", None)  # Chalice sets it with the first request
        if request is None:
            raise RuntimeError("There is no request outside a view")
        return request

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  # Lambda's contract
        """Answer one request of API Gateway."""
        request_id = self._request_id(event)
        event["headers"] = {"accept": "*/*", **(event.get("headers") or {})}  # Chalice lowers names; the last wins
        with observability.observed(self._telemetry, request_id=request_id):
            try:
                answer: dict[str, Any] = super().__call__(event, context)
            except Exception:  # noqa: BLE001  # whatever it is, a caller gets an answer and we get a line
                observability.count("ServerErrors")
                observability.log().exception("answer_failed")
                answer = self._finish(internal_reply(request_id), request_id).to_dict(self.api.binary_types)
            return answer

    def _mannered(self, request: Request, get_response: Any) -> Response:  # noqa: ANN401  # chalice's contract
        request_id = self._request_id(request.to_original_event())
        started = self._clock.monotonic()
        try:
            self._let_pass(request)
            response = in_envelope(get_response(request), request_id)
        except ApplicationError as error:
            response = error_reply(error, request_id)
        self._account(request, response, self._clock.monotonic() - started)
        return self._finish(response, request_id)

    def _heard(self, event: Any, get_response: Any) -> Any:  # noqa: ANN401  # chalice's contract
        """Lines and metrics of an event that is not HTTP; what it raises is Lambda's to retry."""
        request_id = str(getattr(event.context, "aws_request_id", ""))
        with observability.observed(self._telemetry, request_id=request_id):
            try:
                return get_response(event)
            except Exception:
                observability.log().exception("event_failed")
                raise

    def _let_pass(self, request: Request) -> None:
        route = self.routes.get(request.path, {}).get(request.method)
        if route is not None and (route.authorizer is not None or route.api_key_required):
            self._guard(request)

    def _account(self, request: Request, response: Response, seconds: float) -> None:
        fields = {
            "method": request.method,
            "route": request.path,
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 1),
        }
        if response.status_code >= 500:  # noqa: PLR2004  # HTTP's server errors
            observability.count("ServerErrors")
            observability.log().error("request", extra=fields)
        else:
            observability.log().info("request", extra=fields)

    @staticmethod
    def _finish(response: Response, request_id: str) -> Response:
        response.headers = {**SECURITY_HEADERS, REQUEST_ID: request_id, **response.headers}
        return response

    def _request_id(self, event: dict[str, Any]) -> str:
        context = event.setdefault("requestContext", {})
        if not context.get("requestId"):
            context["requestId"] = self._clock.new_id()
        return str(context["requestId"])[:LONGEST_REQUEST_ID]
