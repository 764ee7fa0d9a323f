"""Which quotas hold for a user, and how much of each is used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from conversations.models import Measure, Quota
from conversations.quotas import periods

NANO = 1_000_000_000  # costs are counted in billionths: Redis and Lua add whole numbers
MOST = 2**53 - 1  # that Lua counts exactly

Amounts = tuple[int, int, int]  # messages, tokens, billionths of the currency
PLACES = {Measure.MESSAGES: 0, Measure.TOKENS: 1, Measure.COST: 2}


@dataclass(frozen=True)
class Limit:
    """`most` is in whole units: messages, tokens, billionths of the currency."""

    measure: str
    period: str
    most: int

    @property
    def place(self) -> int:
        """Where its measure stands in Amounts."""
        return PLACES[Measure(self.measure)]

    def amount(self, units: int) -> Decimal | int:
        """As people read it."""
        return Decimal(units) / NANO if self.measure == Measure.COST else units


@dataclass(frozen=True)
class Standing:
    """How much of a limit is used; what is reserved for answers being made is in it."""

    limit: Limit
    used: int
    resets_at: datetime

    @property
    def most_amount(self) -> Decimal | int:
        return self.limit.amount(self.limit.most)

    @property
    def used_amount(self) -> Decimal | int:
        return self.limit.amount(self.used)

    @property
    def percent(self) -> int:
        if not self.limit.most:
            return 100
        return min(100, self.used * 100 // self.limit.most)

    @property
    def is_reached(self) -> bool:
        return self.used >= self.limit.most


def units(measure: str, amount: Decimal) -> int:
    factor = NANO if measure == Measure.COST else 1
    return min(int(amount * factor), MOST)


def limits_of(user_id: int) -> list[Limit]:
    """One query."""
    return limits_among(Quota.objects.about(user_id))


def limits_among(quotas: Iterable[Quota]) -> list[Limit]:
    """The closest of a user's quotas for each measure and period; one without a limit limits nothing."""
    closest: dict[tuple[str, str], list[Quota]] = {}
    for quota in quotas:
        closest.setdefault((quota.measure, quota.period), []).append(quota)
    found = []
    for (measure, period), several in sorted(closest.items()):
        most = _most(several)
        if most is not None:
            found.append(Limit(measure, period, units(measure, most)))
    return found


def _most(quotas: Iterable[Quota]) -> Decimal | None:
    """What holds of several with one measure and period; None where any amount is allowed."""
    own = [quota for quota in quotas if quota.user_id]
    groups = [quota for quota in quotas if quota.group_id]
    holding = own or groups or list(quotas)
    amounts = [quota.most for quota in holding if quota.most is not None]
    return max(amounts) if len(amounts) == len(holding) else None


def standings(limits: Sequence[Limit], used: Sequence[int], now: datetime) -> list[Standing]:
    return [
        Standing(limit, amount, periods.ends(limit.period, now))
        for limit, amount in zip(limits, used, strict=True)
    ]
