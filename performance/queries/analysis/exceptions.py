from __future__ import annotations


class AnalysisError(Exception):
    """The analysis cannot be done at all; the message says what is missing."""


class NotPlanned(Exception):
    """PostgreSQL would not plan a statement; `reason` is safe to show: it holds no value of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
