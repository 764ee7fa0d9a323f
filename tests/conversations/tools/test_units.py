from __future__ import annotations

import pytest

from conversations.tools import ToolError
from conversations.tools.measures import UNITS
from conversations.tools.units import units


@pytest.mark.parametrize(
    ("quantity", "to", "result", "unit"),
    [
        ("5 miles", "km", "8.04672", "kilometres"),
        ("1 pound", "ounces", "16", "ounces"),
        ("-40 °F", "°C", "-40", "degrees Celsius"),
        ("100 f", "celsius", "37.7777777777778", "degrees Celsius"),
        ("6 feet 2 inches", "cm", "187.96", "centimetres"),
        ("5'11\"", "cm", "180.34", "centimetres"),
        ("5'2\"", "in", "62", "inches"),
        ("1 hr 30 min", "minutes", "90", "minutes"),
        ("8 oz", "ml", "236.5882365", "millilitres"),
        ("8 cups", "oz", "64", "US fluid ounces"),
        ("8 oz", "g", "226.796185", "grams"),
        ("2 GB", "MB", "2,000", "megabytes"),
        ("1 GiB", "MiB", "1,024", "mebibytes"),
        ("60 mph", "km/h", "96.56064", "kilometres per hour"),
        ("10 meters per second", "kilometers per hour", "36", "kilometres per hour"),
        ("2 acres", "square metres", "8,093.7128448", "square metres"),
        ("5 m2", "cm2", "50,000", "square centimetres"),
        ("1/2 inch", "mm", "12.7", "millimetres"),
        ("1,000 m", "km", "1", "kilometre"),
        ("day", "seconds", "86,400", "seconds"),
    ],
)
def test_conversions(quantity: str, to: str, result: str, unit: str) -> None:
    found = units(quantity, to)
    assert (found["result"], found["unit"]) == (result, unit)


@pytest.mark.parametrize(
    ("quantity", "to", "words"),
    [
        ("5 dollars", "euros", "dollars"),
        ("5 km", "kg", "kilometre is length, kilogram is mass"),
        ("5", "km", "quantity"),
        ("5 5", "km", "quantity"),
        ("1/0 m", "km", "number"),
        ("1 km 2 kg", "m", "do not belong"),
        ("20 °C 5 °C", "°F", "do not belong"),
        (" ", "km", "missing"),
    ],
)
def test_refusals(quantity: str, to: str, words: str) -> None:
    with pytest.raises(ToolError, match=words):
        units(quantity, to)


def test_every_spelling_is_found_and_converts_into_itself() -> None:
    for spelling in UNITS:
        name = spelling.replace("_", " ")
        assert units(f"3 {name}", name)["result"] == "3", name
