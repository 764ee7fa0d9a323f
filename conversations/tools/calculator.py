"""The tool `calculator`."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Annotated

from msgspec import Meta

from conversations.tools.arithmetic import evaluate
from conversations.tools.base import tool
from conversations.tools.functions import Number

Expression = Annotated[
    str,
    Meta(
        description="For example 17.5% of 240, (3 + 4) * 2^10, sqrt(2), 10!, round(2/3, 2), 17 mod 5.",
        min_length=1,
        max_length=500,
    ),
]
DIGITS = 15
LONGEST = 60  # digits that are written out
HUGE = 10**LONGEST


@tool(ttl=86_400, scope="site")
def calculator(expression: Expression) -> dict[str, str | bool]:
    """Calculates an arithmetic expression exactly, and says where the result is rounded.

    `result` is for reading; `exact` is False where it is rounded to 15 digits.
    """
    value = evaluate(expression)
    result, is_exact = written(value)
    return {"expression": expression.strip(), "result": result, "exact": is_exact}


def written(value: Number, *, as_fraction: bool = True) -> tuple[str, bool]:
    """The number with thousands separators, and whether that is exact."""
    if isinstance(value, float):
        # What ought to be 0 comes out of sines and roots as 1e-16.
        return _rounded(Decimal(value if abs(value) >= 1e-15 else 0)), False
    if value.denominator == 1 or abs(value) > HUGE:
        return _whole(round(value))
    places = _decimal_places(value.denominator)
    if places is not None:
        number = Decimal(value.numerator * 10**places // value.denominator).scaleb(
            -places, Context(prec=10_000)
        )
        return f"{number:,f}", True
    precise = Context(prec=DIGITS)
    approximation = _rounded(precise.divide(Decimal(value.numerator), Decimal(value.denominator)))
    if as_fraction and value.denominator < 1_000_000:
        return f"{value.numerator:,}/{value.denominator:,} (about {approximation})", True
    return approximation, False


def _whole(value: int) -> tuple[str, bool]:
    digits = len(str(abs(value)))
    if digits <= LONGEST:
        return f"{value:,}", True
    return f"{_rounded(Decimal(value))} (a number of {digits:,} digits)", False


def _rounded(value: Decimal) -> str:
    """15 digits, plainly where that is readable."""
    value = +Context(prec=DIGITS).create_decimal(value)
    if value and not -6 <= value.adjusted() < DIGITS:
        mantissa, _, exponent = f"{value.normalize():e}".partition("e")
        return f"{mantissa} * 10^{int(exponent)}"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimal_places(denominator: int) -> int | None:
    """How many decimals the fraction has, or None where they do not end within 20."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    places = max(twos, fives)
    return places if denominator == 1 and places <= 20 else None
