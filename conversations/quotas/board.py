"""Who is at a limit or near it, for staff: a constant number of queries, of what answers have taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F, Q, Sum
from django.utils import timezone

from conversations.models import DailyUsage, Quota
from conversations.quotas import periods
from conversations.quotas.limits import Limit, Standing, limits_among, units

NEAR = 80  # percent
USERS = 2000  # that used most this month: who is at a limit is among them
SHOWN = 50


@dataclass(frozen=True)
class Near:
    """A user who has used NEAR percent of a quota or more."""

    user_id: int
    username: str
    standing: Standing


def near() -> list[Near]:
    """Those nearest to a limit first. Three queries at most: quotas, sums, groups."""
    quotas = list(Quota.objects.all())
    if not quotas:
        return []
    now = timezone.now()
    users = _users(now)
    groups = _groups([row["user_id"] for row in users])
    found = [
        Near(row["user_id"], row["user__username"], standing)
        for row in users
        for standing in _standings(row, _about(quotas, row["user_id"], groups), now)
        if standing.percent >= NEAR
    ]
    return sorted(found, key=lambda one: -one.standing.percent)[:SHOWN]


def _users(now: datetime) -> list[dict[str, Any]]:
    today = Q(day=periods.began("day", now).date())
    this_hour = today & Q(hour=periods.began("hour", now))
    tokens = F("input_tokens") + F("output_tokens")
    rows = DailyUsage.objects.filter(day__gte=periods.began("month", now).date())
    sums = rows.values("user_id", "user__username").annotate(
        messages_month=Sum("messages"),
        tokens_month=Sum(tokens),
        cost_month=Sum("cost"),
        messages_day=Sum("messages", filter=today),
        tokens_day=Sum(tokens, filter=today),
        cost_day=Sum("cost", filter=today),
        messages_hour=Sum("hour_messages", filter=this_hour),
        tokens_hour=Sum("hour_tokens", filter=this_hour),
        cost_hour=Sum("hour_cost", filter=this_hour),
    )
    rows_of_users: Any = sums.order_by("-messages_month", "user_id")[:USERS]
    return list(rows_of_users)


def _groups(users: Iterable[int]) -> Mapping[int, set[int]]:
    members: Any = get_user_model().groups.through
    found: defaultdict[int, set[int]] = defaultdict(set)
    pairs = members.objects.filter(user_id__in=list(users)).values_list("user_id", "group_id")
    for user, group in pairs:
        found[user].add(group)
    return found


def _about(quotas: list[Quota], user: int, groups: Mapping[int, set[int]]) -> list[Quota]:
    own = groups.get(user, set())
    return [
        quota
        for quota in quotas
        if quota.user_id == user
        or quota.group_id in own
        or (quota.user_id is None and quota.group_id is None)
    ]


def _standings(row: dict[str, Any], quotas: list[Quota], now: datetime) -> Iterable[Standing]:
    for limit in limits_among(quotas):
        yield Standing(limit, _used(row, limit), periods.ends(limit.period, now))


def _used(row: dict[str, Any], limit: Limit) -> int:
    return units(limit.measure, row[f"{limit.measure}_{limit.period}"] or Decimal(0))
