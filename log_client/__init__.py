"""Python client of log_service: a `logging.Handler`, a client, and a command (`python -m log_client`)."""

from .buffer import Buffering
from .client import LogClient, Page
from .errors import LogClientError, MissingCredentials, Refused, Rejection, SendReport, Unavailable
from .handler import LogServiceHandler
from .invocation import FlushAfter, flush_after
from .options import Options

__version__ = "1.0.0"
__all__ = [
    "Buffering",
    "FlushAfter",
    "LogClient",
    "LogClientError",
    "LogServiceHandler",
    "MissingCredentials",
    "Options",
    "Page",
    "Refused",
    "Rejection",
    "SendReport",
    "Unavailable",
    "flush_after",
]
