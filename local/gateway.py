"""API Gateway before one application: Chalice's LocalGateway with the events, limits and answers of the real one."""

import base64
import logging
import time
import uuid
from threading import local as ThreadLocal  # noqa: N812  # it is a class
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote_to_bytes

from chalice.app import ChaliceAuthorizer, _matches_content_type
from chalice.local import ForbiddenError, LocalChalice, LocalGateway, LocalGatewayException, NotAuthorizedError

from local.applications import API_HANDLER, Application, function
from local.envelopes import Answer, bad_request, forbidden, internal_error, not_found, unauthorized
from local.settings import ACCOUNT, STAGE

RESPONSE_LIMIT = 6 * 1024 * 1024
BAD_URL = "The URL is not percent-encoded UTF-8."

logger = logging.getLogger("gateway")
Event = dict[str, Any]


class Request(NamedTuple):
    """One HTTP request as the server read it."""

    method: str
    target: str
    headers: dict[str, list[str]]
    body: bytes
    source: str
    request_id: str


class PerThread(LocalChalice):
    """An application whose current request and Lambda context belong to the thread, as on AWS to the process."""

    _STATE = ThreadLocal()

    @property
    def lambda_context(self) -> Any:  # noqa: ANN401  # Lambda's context has no type of its own
        """The context of this thread's request."""
        return getattr(self._STATE, "context", None)

    @lambda_context.setter
    def lambda_context(self, value: Any) -> None:  # noqa: ANN401
        self._STATE.context = value


class Gateway(LocalGateway):
    """Answers requests by calling the application as Lambda would."""

    def __init__(self, application: Application) -> None:
        app = application.app
        app.__class__ = type("LocalApplication", (PerThread, app.__class__), {})
        super().__init__(app, application.config)
        self._function = function(application, API_HANDLER)
        self._match = self.event_converter._route_matcher.match_route  # noqa: SLF001  # chalice's own matching of routes

    def answer(self, request: Request) -> Answer:
        """Serve one request.

        Raises:
            Refused: The gateway itself answers.
        """
        event = self._event(request)
        context: Any = self._function.context()
        self._authorize(request, event, context)
        try:
            return response_of(self._app_object(event, context))
        except Exception:
            logger.exception("%s crashed, request %s", self._function.name, request.request_id)
            raise internal_error() from None

    def _event(self, request: Request) -> Event:
        path, _, query = request.target.partition("?")
        check_encoding(path)
        check_encoding(query)
        if "//" in path or ";" in path:  # chalice's matcher reads a path as it reads a whole URL
            raise not_found()
        try:
            match = self._match(path)
        except ValueError:
            raise not_found() from None
        parameters = parse_qs(query, keep_blank_values=True) or None
        return {
            "resource": match.route,
            "path": path,
            "httpMethod": request.method,
            "headers": {name: values[-1] for name, values in request.headers.items()},
            "multiValueHeaders": request.headers,
            "queryStringParameters": parameters and {name: values[-1] for name, values in parameters.items()},
            "multiValueQueryStringParameters": parameters,
            "pathParameters": match.captured,
            "stageVariables": {},
            "requestContext": request_context(request, path, match.route),
            **self._body(request),
        }

    def _body(self, request: Request) -> Event:
        """The body as API Gateway passes it on: base64 when its type is one of the API's binary types."""
        if not request.body:
            return {"body": None, "isBase64Encoded": False}
        content_type = request.headers.get("content-type", ["application/json"])[-1]
        if _matches_content_type(content_type, self._app_object.api.binary_types):
            return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}
        return {"body": request.body.decode("utf-8", "replace"), "isBase64Encoded": False}

    def _authorize(self, request: Request, event: Event, context: Any) -> None:  # noqa: ANN401
        """Run the route's authorizer; one that fails admits nobody."""
        entry = self._app_object.routes[event["resource"]].get(request.method)
        authorizer: object = entry and entry.authorizer
        if not isinstance(authorizer, ChaliceAuthorizer):
            return  # an API key, IAM and Cognito are the outer wall's, which this machine does not have
        header = getattr(authorizer.config, "header", None) or "Authorization"
        token = event["headers"].get(header.lower())
        try:
            self._authorizer.authorize(
                request.target, event | {"headers": {"authorization": token} if token else {}}, context
            )
        except NotAuthorizedError:
            raise unauthorized() from None
        except LocalGatewayException as error:
            raise (forbidden() if isinstance(error, ForbiddenError) else unauthorized()) from None
        except Exception:
            logger.exception("the authorizer failed, request %s", request.request_id)
            raise unauthorized() from None


def check_encoding(text: str) -> None:
    """Refuse what is not percent-encoded UTF-8."""
    escapes = [part[:2] for part in text.split("%")[1:]]
    try:
        unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise bad_request(BAD_URL) from None
    if not text.isascii() or not all(len(escape) == 2 and is_hexadecimal(escape) for escape in escapes):  # noqa: PLR2004  # two digits
        raise bad_request(BAD_URL)


def is_hexadecimal(text: str) -> bool:
    """Whether the text is hexadecimal digits only; int() would take signs and spaces too."""
    return all(character in "0123456789abcdefABCDEF" for character in text)


def request_context(request: Request, path: str, route: str) -> Event:
    """The requestContext of a REST API's event."""
    agent = request.headers.get("user-agent", [""])[-1]
    now = time.time()
    return {
        "accountId": ACCOUNT,
        "apiId": STAGE,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source, "userAgent": agent, "userArn": None},
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "extendedRequestId": str(uuid.uuid4()),
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": int(now * 1000),
        "resourcePath": route,
        "stage": STAGE,
    }


def response_of(result: Event) -> Answer:
    """The application's answer, checked as the real gateway checks it."""
    body = result.get("body") or ""
    if result.get("isBase64Encoded"):
        raw = base64.b64decode(body)
    else:
        raw = body if isinstance(body, bytes) else body.encode()
    if len(raw) > RESPONSE_LIMIT:
        raise ValueError(f"the answer has {len(raw)} bytes, Lambda allows {RESPONSE_LIMIT}")
    headers = {**(result.get("headers") or {}), **(result.get("multiValueHeaders") or {})}
    return Answer(int(result["statusCode"]), headers, raw)
