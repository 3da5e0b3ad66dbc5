"""OTLP in and out; protobuf's modules are loaded by the first request that needs them."""

from collections.abc import Sequence

from ..domain import Verdict
from .incoming import Fault, LogIn


def read_otlp(raw: bytes, media: str) -> list[LogIn | Fault]:
    """The records of an OTLP request, each judged alone; raises BadRequest when it is none."""
    from . import otlp  # noqa: PLC0415  # as this module says

    return otlp.read(raw, media)


def otlp_answer(verdicts: Sequence[Verdict], media: str) -> bytes:
    """An ExportLogsServiceResponse in the encoding of the request."""
    from . import otlp  # noqa: PLC0415  # as this module says

    return otlp.answer([v.error or "" for v in verdicts if v.status == "rejected"], media)
