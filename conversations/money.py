"""Amounts of money as people read them."""

from __future__ import annotations

from decimal import Decimal

from django.utils import formats


def money(amount: Decimal, currency: str) -> str:
    """0.00042 USD: as many places as it takes to tell small amounts apart."""
    places = 2 if not amount or amount >= 1 else min(9, 2 - amount.adjusted())
    return f"{formats.number_format(amount, decimal_pos=places)} {currency}".strip()
