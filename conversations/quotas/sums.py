"""What a user has used as PostgreSQL knows it: for a hash that is new, and while Redis is away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Q, Sum

from conversations.models import DailyUsage, Reply
from conversations.quotas import periods
from conversations.quotas.limits import NANO, Amounts, Limit

LOCK = 0x71_75_6F  # the class of the advisory locks; the user's id is the lock


def used(user_id: int, now: datetime) -> list[int]:
    """Messages, tokens and cost of this hour, then of the day, then of the month; one query."""
    month, day = periods.began("month", now).date(), periods.began("day", now).date()
    today, this_hour = Q(day=day), Q(day=day, hour=periods.began("hour", now))
    rows = DailyUsage.objects.filter(user=user_id, day__gte=month)
    found = rows.aggregate(
        h1=Sum("hour_messages", filter=this_hour),
        h2=Sum("hour_tokens", filter=this_hour),
        h3=Sum("hour_cost", filter=this_hour),
        d1=Sum("messages", filter=today),
        d2=Sum("input_tokens", filter=today),
        d2b=Sum("output_tokens", filter=today),
        d3=Sum("cost", filter=today),
        m1=Sum("messages"),
        m2=Sum("input_tokens"),
        m2b=Sum("output_tokens"),
        m3=Sum("cost"),
    )
    tokens = {"d2": found["d2b"] or 0, "m2": found["m2b"] or 0}
    return [
        _whole(found[f"{period}{place}"], place) + tokens.get(f"{period}{place}", 0)
        for period in "hdm"
        for place in (1, 2, 3)
    ]


def _whole(amount: Decimal | int | None, place: int) -> int:
    return int((amount or 0) * (NANO if place == 3 else 1))


def reserve(
    user_id: int, reply: int | None, want: Amounts, limits: Sequence[Limit], now: datetime
) -> tuple[bool, list[int]]:
    """As the ledger's, without Redis: the caller's transaction, which makes the reply, holds a lock.

    So those who send at once take turns, and each sees the replies of those before it. What those
    will take is not known: each counts as much as this one wants.
    """
    if reply is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, user_id])
    sums = used(user_id, now)
    others = Reply.objects.open().filter(message__conversation__user=user_id)
    waiting = others.exclude(pk=reply or 0).count()
    offsets = {"hour": 0, "day": 3, "month": 6}
    found = [
        sums[offsets[limit.period] + limit.place] + waiting * want[limit.place] for limit in limits
    ]
    fits = all(
        amount + want[limit.place] <= limit.most
        for limit, amount in zip(limits, found, strict=True)
    )
    return fits, found
