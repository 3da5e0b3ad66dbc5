"""What an answer of log_service means: a body to read, a refusal, or no usable answer."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import responses
from typing import Any

from .errors import Reason, Refused, Unavailable

PASSING = frozenset({429, 502, 503, 504})

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and bytes, as they came."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Body | None:
        """The JSON object of the answer, or None when it is anything else."""
        try:
            value = json.loads(self.raw)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    @property
    def reason(self) -> Reason:
        """The error envelope."""
        body = self.body
        if body is None:
            return Reason(f"not an answer of log_service ({self._kind}); is this its address?")
        details = body.get("details")
        listed = [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []
        error = (
            body.get("error")
            or body.get("message")
            or body.get("Message")
            or responses.get(self.status, "no reason given")
        )
        request_id = str(body.get("requestId") or self.headers.get("x-request-id", ""))
        return Reason(str(error), str(body.get("code") or ""), listed, request_id)

    def understood(self, now: float) -> Body:
        """The body of a 2xx; Refused for 3xx and 4xx but 429, Unavailable otherwise. `now` in seconds since 1970."""
        body = self.body
        if HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES and body is not None:
            return body
        if self.status == HTTPStatus.TOO_MANY_REQUESTS or not 300 <= self.status < 500:  # noqa: PLR2004 - as RFC 9110
            raise self._unavailable(now)
        raise Refused(self.status, self.reason)

    def _unavailable(self, now: float) -> Unavailable:
        passing = self.status in PASSING or self.status < HTTPStatus.MULTIPLE_CHOICES
        pause = seconds_of(self.headers.get("retry-after", ""), now)
        message = f"answered {self.status}: {self.reason.error}"
        return Unavailable(message, status=self.status, retry_after=pause, passing=passing)

    @property
    def _kind(self) -> str:
        return self.headers.get("content-type") or "no content type"


def seconds_of(retry_after: str, now: float) -> float:
    """Retry-After, in seconds or as a date (RFC 9110, 10.2.3), as seconds from `now`; 0 when it says nothing."""
    try:
        seconds = float(retry_after)
    except ValueError:
        seconds = _seconds_until(retry_after, now)
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _seconds_until(date: str, now: float) -> float:
    try:
        then = parsedate_to_datetime(date)
    except ValueError:
        return 0.0
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() - datetime.fromtimestamp(
        now, UTC
    ).timestamp()
