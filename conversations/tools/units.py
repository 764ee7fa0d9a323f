"""The tool `units`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated

from msgspec import Meta

from conversations.tools.base import ToolError, tool
from conversations.tools.calculator import written
from conversations.tools.measures import AMBIGUOUS, UNITS, Unit, find

PART = re.compile(
    r"(?P<number>[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:/\d+)?)\s*(?P<unit>[^\d,+]*[^\d,+\s](?:(?<=[a-zA-Z])[23](?!\d))?)\s*"
)

Quantity = Annotated[
    str,
    Meta(
        description='With its unit: "5 miles", "-40 °F", "6 ft 2 in".', min_length=1, max_length=100
    ),
]
Target = Annotated[str, Meta(description='A unit: "km", "celsius".', min_length=1, max_length=50)]


@tool(ttl=86_400, scope="site")
def units(quantity: Quantity, to: Target) -> dict[str, str | bool]:
    """Converts a quantity into another unit of the same kind, with exact factors.

    Length, area, volume, mass, time, speed, temperature, energy, power, pressure, angle, data; no
    currencies.
    """
    read = _parts(quantity)
    target = _unit(to)
    parts = [(amount, _matching(unit, spelling, target)) for amount, unit, spelling in read]
    target = _matching(target, to, parts[0][1])
    total = sum(((amount + unit.offset) * unit.factor for amount, unit in parts), Fraction(0))
    if any(unit.dimension != target.dimension for _, unit in parts):
        kinds = (
            f"{parts[0][1].name} is {parts[0][1].dimension}, {target.name} is {target.dimension}"
        )
        raise ToolError(f"These cannot be converted into each other: {kinds}.")
    result = total / target.factor - target.offset
    text, is_exact = written(result, as_fraction=False)
    return {
        "quantity": ", ".join(
            f"{written(amount)[0]} {unit.named(amount)}" for amount, unit in parts
        ),
        "result": text,
        "unit": target.named(result),
        "exact": is_exact,
    }


def _parts(quantity: str) -> list[tuple[Fraction, Unit, str]]:
    text = re.sub(r"\band\b", " ", quantity).strip()
    parts: list[tuple[Fraction, Unit, str]] = []
    position = 0
    while position < len(text):
        match = PART.match(text, position)
        spelling = match["unit"].strip() if match else ""
        number = match["number"].replace(",", "") if match else ""
        if match is None or (parts and not number):
            raise ToolError(f"I do not understand the quantity {quantity[:50]!r}.")
        parts.append((_number(number), _unit(spelling), spelling))
        position = match.end()
    return _completed(parts)


def _number(text: str) -> Fraction:
    try:
        return Fraction(text or "1")
    except (ValueError, ZeroDivisionError):
        raise ToolError(f"I do not understand the number {text[:50]!r}.") from None


def _completed(parts: list[tuple[Fraction, Unit, str]]) -> list[tuple[Fraction, Unit, str]]:
    if not parts:
        raise ToolError("The quantity is missing.")
    if len({unit.dimension for _, unit, _ in parts}) > 1 or (len(parts) > 1 and parts[0][1].offset):
        raise ToolError("The parts of the quantity do not belong together.")
    return parts


def _unit(spelling: str) -> Unit:
    unit = find(spelling)
    if unit is None:
        raise ToolError(f"I do not know the unit {spelling.strip()[:50]!r}.")
    return unit


def _matching(unit: Unit, spelling: str, other: Unit) -> Unit:
    """The other meaning of an ambiguous spelling where only that one fits."""
    second = AMBIGUOUS.get(spelling.strip().lower().removesuffix("s"))
    fits = second is not None and UNITS[second].dimension == other.dimension
    return UNITS[second] if second and fits and unit.dimension != other.dimension else unit
