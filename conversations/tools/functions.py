"""The calculator's functions: exact where the result is rational, bounded where it could be huge."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from conversations.tools.base import ToolError

Number = Fraction | float

MAX_BITS = 12_000  # about 3,600 digits
MAX_FACTORIAL = 1000


def power(base: Number, exponent: Number) -> Number:
    if not (isinstance(base, Fraction) and isinstance(exponent, Fraction)):
        return _real_power(float(base), float(exponent))
    if exponent.denominator != 1:
        root = exact_root(base, exponent.denominator)
        if root is None:
            return _real_power(float(base), float(exponent))
        base, exponent = root, Fraction(exponent.numerator)
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if size > 1 and size * abs(exponent.numerator) > MAX_BITS:
        raise ToolError("That number is too large to write down.")
    return base**exponent.numerator


def exact_root(value: Fraction, degree: int) -> Fraction | None:
    """The root where it is rational, or None. Raises ToolError for an even root below zero."""
    if value < 0 and degree % 2 == 0:
        raise ToolError("An even root of a negative number is not a real number.")
    if not 1 < degree <= 100:
        return value if degree == 1 else None
    top, bottom = (
        _integer_root(abs(value.numerator), degree),
        _integer_root(value.denominator, degree),
    )
    if top is None or bottom is None:
        return None
    return Fraction(-top if value < 0 else top, bottom)


def _integer_root(value: int, degree: int) -> int | None:
    if degree == 2:
        guess = math.isqrt(value)
        return guess if guess * guess == value else None
    if value.bit_length() > 900:
        return None
    nearest = round(value ** (1 / degree))
    return next(
        (root for root in (nearest - 1, nearest, nearest + 1) if root**degree == value), None
    )


def root(value: Number, degree: int) -> Number:
    exact = exact_root(value, degree) if isinstance(value, Fraction) else None
    if exact is not None:
        return exact
    return math.cbrt(value) if degree == 3 else math.sqrt(value)


def factorial(value: Number) -> Number:
    if not isinstance(value, Fraction) or value.denominator != 1 or value < 0:
        raise ToolError("A factorial needs a whole number that is not negative.")
    if value > MAX_FACTORIAL:
        raise ToolError("That number is too large to write down.")
    return Fraction(math.factorial(value.numerator))


def logarithm(value: Number, base: Number = 10.0) -> Number:
    if value <= 0 or base <= 0 or base == 1:
        raise ToolError("A logarithm needs positive numbers.")
    if base == 10:
        return math.log10(value)
    return math.log2(value) if base == 2 else math.log(value) / math.log(base)


def _real_power(base: float, exponent: float) -> float:
    if base < 0 and exponent % 1:
        raise ToolError("That has no real result.")
    return math.pow(base, exponent)


def _whole(function: Callable[..., int]) -> Callable[..., Number]:
    def apply(*values: Number) -> Number:
        if any(Fraction(value).denominator != 1 for value in values):
            raise ToolError("That needs whole numbers.")
        return Fraction(function(*(int(value) for value in values)))

    return apply


def _rounded(value: Number, digits: Number = 0.0) -> Number:
    if abs(Fraction(digits)) > 100:
        raise ToolError("That is too many digits.")
    return Fraction(round(Fraction(value), int(digits)))


def _least(*values: Number) -> Number:
    return min(values)


def _greatest(*values: Number) -> Number:
    return max(values)


def _counted(least: int, most: int, function: Callable[..., Number]) -> Callable[..., Number]:
    def apply(*values: Number) -> Number:
        if not least <= len(values) <= most:
            raise ToolError("That function takes another number of values.")
        return function(*values)

    return apply


CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e, "tau": math.tau}
FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sqrt": _counted(1, 1, lambda value: root(value, 2)),
    "cbrt": _counted(1, 1, lambda value: root(value, 3)),
    "abs": _counted(1, 1, abs),
    "round": _counted(1, 2, _rounded),
    "floor": _counted(1, 1, lambda value: Fraction(math.floor(value))),
    "ceil": _counted(1, 1, lambda value: Fraction(math.ceil(value))),
    "min": _counted(1, 100, _least),
    "max": _counted(1, 100, _greatest),
    "gcd": _counted(1, 100, _whole(math.gcd)),
    "lcm": _counted(1, 5, _whole(math.lcm)),
    "factorial": _counted(1, 1, factorial),
    "log": _counted(1, 2, logarithm),
    "ln": _counted(1, 1, lambda value: logarithm(value, math.e)),
    "exp": _counted(1, 1, math.exp),
    "sin": _counted(1, 1, math.sin),
    "cos": _counted(1, 1, math.cos),
    "tan": _counted(1, 1, math.tan),
    "asin": _counted(1, 1, math.asin),
    "acos": _counted(1, 1, math.acos),
    "atan": _counted(1, 1, math.atan),
}
