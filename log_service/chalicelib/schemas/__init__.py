"""The JSON that callers send and see, and OTLP."""

from . import contract
from .incoming import Fault, LogIn, NoQuery, RecentQuery, TailQuery, media_type, read_batch
from .outgoing import CreatedOut, ServiceOut, ServicesOut, batch_json, page
from .telemetry import otlp_answer, read_otlp

__all__ = [
    "CreatedOut",
    "Fault",
    "LogIn",
    "NoQuery",
    "RecentQuery",
    "ServiceOut",
    "ServicesOut",
    "TailQuery",
    "batch_json",
    "contract",
    "media_type",
    "otlp_answer",
    "page",
    "read_batch",
    "read_otlp",
]
