"""What log_service does, one verb each."""

from .counting import count_records
from .finding import Reader
from .ingesting import Ingest, Sender

__all__ = ["Ingest", "Reader", "Sender", "count_records"]
