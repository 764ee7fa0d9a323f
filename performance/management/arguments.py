"""Types of command-line arguments, for argparse."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable

MONTH = 30 * 24 * 60  # minutes


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number from `least` to `most`; what is not is refused with a sentence that says so."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text[:18]) <= most):
            raise ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read
