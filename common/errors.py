"""The errors an application raises on purpose, and the one envelope in which a caller sees any of them.

    ApplicationError                 500 InternalError
    ├── BadRequest                   400 BadRequest
    │   └── ValidationFailed         400 ValidationFailed, details per field
    ├── Unauthorized                 401 Unauthorized, WWW-Authenticate
    ├── Forbidden                    403 Forbidden
    ├── NotFound                     404 NotFound
    ├── Conflict                     409 Conflict
    │   ├── IdempotencyMismatch      409 IdempotencyMismatch
    │   └── InProgress               409 InProgress, Retry-After
    ├── PayloadTooLarge              413 PayloadTooLarge
    ├── UnsupportedMediaType         415 UnsupportedMediaType
    ├── TooManyRequests              429 TooManyRequests, Retry-After
    └── Unavailable                  503 Unavailable, Retry-After

A text given here is shown to people, so it never holds the text of a foreign exception, a table's name or a secret.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Self

from chalice.app import ChaliceUnhandledError


class Detail(NamedTuple):
    """One field that is wrong, and why."""

    field: str
    message: str


class ApplicationError(ChaliceUnhandledError):
    """Something an application says to its caller.

    It is a ChaliceUnhandledError because Chalice turns every other exception into a 500 before middleware sees it.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "InternalError"

    def __init__(self, message: str, *, details: Sequence[Detail] = (), headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.headers = dict(headers or {})
        self.fields: dict[str, object] = {}

    def with_fields(self, fields: dict[str, object]) -> Self:
        """The same error whose envelope carries more fields than the usual ones."""
        self.fields = fields
        return self


class BadRequest(ApplicationError):
    """The request cannot be understood."""

    status = 400
    code = "BadRequest"


class ValidationFailed(BadRequest):
    """Fields of the request are wrong; `details` names each."""

    code = "ValidationFailed"

    @classmethod
    def of(cls, field: str, message: str) -> "ValidationFailed":
        """The error for one field."""
        return cls(f"{field}: {message}", details=[Detail(field, message)])


class Unauthorized(ApplicationError):
    """Nobody, or nobody known, is calling."""

    status = 401
    code = "Unauthorized"

    def __init__(self, message: str, *, scheme: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": scheme})


class Forbidden(ApplicationError):
    """The caller is known and may not."""

    status = 403
    code = "Forbidden"


class NotFound(ApplicationError):
    """There is no such thing."""

    status = 404
    code = "NotFound"


class Conflict(ApplicationError):
    """The request contradicts what is stored."""

    status = 409
    code = "Conflict"


class IdempotencyMismatch(Conflict):
    """An Idempotency-Key came again with another request."""

    code = "IdempotencyMismatch"


class _RetryLater(ApplicationError):
    """Try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


class InProgress(_RetryLater):
    """The first request with this Idempotency-Key is still being worked on."""

    status = 409
    code = "InProgress"


class PayloadTooLarge(ApplicationError):
    """The body is over the limit."""

    status = 413
    code = "PayloadTooLarge"


class UnsupportedMediaType(ApplicationError):
    """The body's type or encoding is not taken here."""

    status = 415
    code = "UnsupportedMediaType"


class TooManyRequests(_RetryLater):
    """The caller or everybody is asking too much."""

    status = 429
    code = "TooManyRequests"


class Unavailable(_RetryLater):
    """A store of our own does not answer."""

    status = 503
    code = "Unavailable"


def envelope(message: str, code: str, request_id: str, details: Sequence[Detail] = ()) -> dict[str, object]:
    """The body of every answer that is not a success (api.md section 1)."""
    body: dict[str, object] = {"success": False, "error": message, "code": code, "requestId": request_id}
    if details:
        body["details"] = [detail._asdict() for detail in details]
    return body
