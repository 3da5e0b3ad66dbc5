"""What can go wrong between a program and log_service.

LogClientError
    Refused              log_service answered 4xx: sending the same again will not help
    Unavailable          no usable answer in the time allowed: sending the same again is safe and may help
    MissingCredentials   nothing to sign with
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record that log_service will never take: its position in what was given to `send`, and the reason."""

    index: int
    error: str


@dataclass(frozen=True, slots=True)
class SendReport:
    """What became of the records of one `send`."""

    sent: int = 0
    duplicates: int = 0
    rejected: tuple[Rejection, ...] = ()
    attempts: int = 0

    def __add__(self, other: "SendReport") -> "SendReport":
        return SendReport(
            self.sent + other.sent,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
            self.attempts + other.attempts,
        )


class LogClientError(Exception):
    """The root; a failed `send` says here what was delivered before it failed and what was not.

    `unsent` holds complete records with `log_id` and `timestamp`: they can be given to `send` again, and those that
    did arrive, unknown to us, are not doubled.
    """

    report: SendReport = SendReport()
    unsent: Sequence[Mapping[str, object]] = ()


class MissingCredentials(LogClientError):
    """No AWS credentials or no region were found, and requests are to be signed."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The envelope of an answer that is an error; empty where the answer had none."""

    error: str
    code: str = ""
    details: Sequence[Mapping[str, object]] = field(default_factory=tuple)
    request_id: str = ""


class Refused(LogClientError):
    """log_service (or its gateway) answered 4xx other than 429."""

    def __init__(self, status: int, reason: Reason) -> None:
        """Keep the envelope: `error`, `code`, `details`, `request_id`, beside the HTTP `status`."""
        fields = "; ".join(f"{item.get('field')}: {item.get('message')}" for item in reason.details)
        super().__init__(f"{status} {reason.code}: {reason.error}" + (f" ({fields})" if fields else ""))
        self.status = status
        self.error = reason.error
        self.code = reason.code
        self.details = reason.details
        self.request_id = reason.request_id


class Unavailable(LogClientError):
    """No usable answer: the connection failed, or 429, 5xx, or something that is not log_service's JSON."""

    def __init__(self, message: str, *, status: int = 0, retry_after: float = 0.0, passing: bool = True) -> None:
        """`status` is 0 without an answer; `retry_after` in seconds; `passing`: worth another attempt right away."""
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.passing = passing
