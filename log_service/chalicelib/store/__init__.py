"""Where records are kept and found: the Protocols, and DynamoDB behind them."""

from .keys import Tables
from .protocols import Found, LogStore, Register, Seen, Span, Tally
from .records import DynamoLogStore
from .register import DynamoRegister

__all__ = ["DynamoLogStore", "DynamoRegister", "Found", "LogStore", "Register", "Seen", "Span", "Tables", "Tally"]
