"""The public door to quotas: reserved before an answer is worked on, settled when it has ended."""

from __future__ import annotations

from conversations.quotas.enforcing import Exceeded, Request, reserve, settle, standing
from conversations.quotas.ledger import forget
from conversations.quotas.limits import Limit, Standing, units

__all__ = [
    "Exceeded",
    "Limit",
    "Request",
    "Standing",
    "forget",
    "reserve",
    "settle",
    "standing",
    "units",
]
