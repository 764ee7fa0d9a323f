"""The public door to quotas: reserved before an answer is worked on, settled when it has ended."""

from __future__ import annotations

from conversations.quotas.enforcing import Exceeded, Request, reserve, settle, standing
from conversations.quotas.limits import Limit, Standing

__all__ = ["Exceeded", "Limit", "Request", "Standing", "reserve", "settle", "standing"]
