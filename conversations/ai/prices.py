"""What a model's tokens cost. An answer keeps the price that held when it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings

MILLION = 1_000_000
MOST = Decimal(9_999_999)  # of a million tokens, as the columns take it
PLACES = Decimal("0.000000001")  # that a cost is kept with
FREE = Decimal(0)


@dataclass(frozen=True)
class Price:
    """Of a million tokens read, written, and read out of the provider's own cache; in `currency`."""

    input: Decimal = FREE
    output: Decimal = FREE
    cached: Decimal = FREE
    currency: str = ""

    def cost(self, read: int, written: int, cached: int = 0) -> Decimal:
        """Of `read` tokens, of which the provider had `cached` in its cache, and `written` ones."""
        cached = min(cached, read)
        total = (read - cached) * self.input + cached * self.cached + written * self.output
        return (total / MILLION).quantize(PLACES)


def price(numbers: Sequence[Any], currency: str = "") -> Price:
    """Of two or three numbers: read, written, cached (as read, where it is not given).

    Raises ValueError where they are none, or below 0.
    """
    try:
        found = [Decimal(str(number)) for number in numbers]
    except InvalidOperation:
        raise ValueError("prices must be numbers") from None
    if len(found) not in {2, 3}:
        raise ValueError("prices must be two or three numbers: read, written, cached")
    if not all(number.is_finite() and 0 <= number <= MOST for number in found):
        raise ValueError(f"prices must be from 0 to {MOST}")
    return Price(found[0], found[1], found[2] if len(found) == 3 else found[0], currency)


def price_of(model: str, options: Mapping[str, Any]) -> Price:
    """By CHAT_PRICES[model], else by the backend's OPTIONS["prices"]; nothing where neither is set."""
    currency: str = getattr(settings, "CHAT_CURRENCY", "USD")
    numbers = getattr(settings, "CHAT_PRICES", {}).get(model) or options.get("prices")
    return price(numbers, currency) if numbers else Price(currency=currency)
