"""What replies add to the site's metrics; docs/metrics.md has the list."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from conversations.attempts import Attempt
from conversations.models import Status
from performance import metrics


def ended(attempt: Attempt, status: Status) -> None:
    """Records one reply: how long its reader waited, its tokens, what failed."""
    backend = attempt.backend.alias
    waited_from = attempt.reply.pending_since
    took = _seconds(waited_from, timezone.now())
    metrics.observe("reply_seconds", took, backend=backend, status=status.value)
    if status == Status.FAILED:
        found_by = attempt.reply.correlation_id
        metrics.example("reply_seconds", took, found_by, backend=backend, status=status.value)
    if attempt.saved is not None:
        return  # an earlier answer shown again took no backend
    if attempt.first_text_at is not None:
        waited = _seconds(waited_from, attempt.first_text_at)
        metrics.observe("reply_first_token_seconds", waited, backend=backend)
    metrics.count("reply_tokens", attempt.input_tokens, backend=backend, kind="input")
    metrics.count("reply_tokens", attempt.output_tokens, backend=backend, kind="output")
    metrics.count("reply_cost", float(attempt.spent.cost), backend=backend)
    if "error" in attempt.outcome:
        metrics.count("chat_backend_errors", backend=backend, error=attempt.outcome["error"])


def _seconds(since: datetime, until: datetime) -> float:
    return max((until - since).total_seconds(), 0.0)
