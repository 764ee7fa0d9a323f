"""Asks before the work starts whether a user's quotas allow it, and says afterwards what it took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.utils import timezone

from conversations.ai import ChatBackend, tokens
from conversations.models import Entry, Measure, Reply
from conversations.quotas import ledger, sums
from conversations.quotas.limits import NANO, Amounts, Limit, Standing, limits_of, standings, units

logger = structlog.get_logger(__name__)

SEEDS = 5  # tries: each but the first was overtaken by the end of an answer
EXPECTED = 500  # tokens of an answer, as long as there is none to go by


@dataclass(frozen=True)
class Request:
    """An answer that is asked for: to `text`, of that backend's model.

    `counted` says that it is one of the user's messages already, so it only takes more tokens.
    """

    user_id: int
    conversation_id: UUID
    reply: int
    text: str
    backend: ChatBackend
    model: str = ""
    counted: bool = False


class Exceeded(Exception):
    """`standing` is the quota that holds longest of those which refuse; `want` what was asked of it."""

    def __init__(self, standing: Standing, want: int, now: datetime) -> None:
        super().__init__(f"{standing.limit.measure} of {standing.limit.period}")
        self.standing = standing
        self.want = want
        self.seconds = max(1, math.ceil((standing.resets_at - now).total_seconds()))

    @property
    def is_too_large(self) -> bool:
        """Whether it would not fit if nothing else had been used."""
        return self.want > self.standing.limit.most


def reserve(request: Request) -> None:
    """Holds what the answer may take until `settle`, in the transaction that makes the reply.

    One query for the quotas; where there is one, one round trip to Redis, two at the first of an
    hour. Raises Exceeded.
    """
    limits = limits_of(request.user_id)
    if not limits:
        return
    now = timezone.now()
    want = _expected(request, limits)
    fits, used = _reserve(request.user_id, request.reply, want, limits, now)
    if not fits:
        raise _refusal(standings(limits, used, now), want, now)


def standing(user_id: int) -> list[Standing]:
    """The user's quotas and how much of each is used. One query and one round trip."""
    limits = limits_of(user_id)
    now = timezone.now()
    if not limits:
        return []
    _fits, used = _reserve(user_id, None, (0, 0, 0), limits, now)
    return standings(limits, used, now)


def settle(user_id: int, reply: int, entry: Entry | None = None, *, keep: bool = False) -> None:
    """What the answer took, in place of what was reserved; without an entry it took nothing.

    `keep` leaves the reservation to the attempt that follows. Where Redis is away the sums of
    PostgreSQL hold, and the reservation ends by itself.
    """
    found = entry or Entry()
    amounts = found.messages, found.tokens, units(Measure.COST, found.cost)
    try:
        ledger.settle(user_id, reply, amounts, timezone.now(), keep=keep)
    except ledger.Away as error:
        logger.warning("quota_not_settled", error=type(error.__cause__).__name__)


def _reserve(
    user_id: int, reply: int | None, want: Amounts, limits: Sequence[Limit], now: datetime
) -> tuple[bool, list[int]]:
    seed: list[int] = []
    with suppress(ledger.Away):
        for _ in range(SEEDS):
            try:
                return ledger.reserve(user_id, reply, want, limits, now, seed)
            except ledger.Unseeded as wanted:
                seed = [*sums.used(user_id, now), wanted.settled]
    return sums.reserve(user_id, reply, want, limits, now)


def _expected(request: Request, limits: Sequence[Limit]) -> Amounts:
    """What the answer is thought to take: as much as the one before it, and the words that are new."""
    messages = int(not request.counted)
    by_tokens = any(limit.measure != Measure.MESSAGES for limit in limits)
    if not by_tokens or not request.backend.is_language_model:
        return messages, 0, 0
    before = (
        Reply.objects.filter(message__conversation=request.conversation_id)
        .exclude(output_tokens=None)
        .order_by("-pk")
        .values_list("input_tokens", "output_tokens")
        .first()
    )
    read, written = before or (0, EXPECTED)
    read = (read or 0) + (written or 0) + tokens.estimate(request.text)
    cost = request.backend.price_for(request.model).cost(read, written or 0)
    return messages, read + (written or 0), int(cost * NANO)


def _refusal(found: Sequence[Standing], want: Amounts, now: datetime) -> Exceeded:
    refusing = [one for one in found if one.used + want[one.limit.place] > one.limit.most] or list(
        found
    )
    longest = max(refusing, key=lambda one: one.resets_at)
    return Exceeded(longest, want[longest.limit.place], now)
