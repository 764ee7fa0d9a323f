"""Arithmetic without eval: exact fractions while the operations allow it, then floating point.

Grammar: sum > product > signed > power > postfix (! and %) > number, name, call or bracket.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction

from conversations.tools.base import ToolError
from conversations.tools.functions import CONSTANTS, FUNCTIONS, MAX_BITS, Number, factorial, power

MAX_DEPTH = 40
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3}(?!\w))?|\.\d+)"
    r"|(?P<name>[a-z]\w*)|(?P<operator>\*\*|//|[-+*/^%!(),]))",
    re.IGNORECASE,
)
SYMBOLS = {
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{MIDDLE DOT}": "*",
    "\N{DIVISION SIGN}": "/",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{SUPERSCRIPT TWO}": "^2",
    "\N{SUPERSCRIPT THREE}": "^3",
    "\N{GREEK SMALL LETTER PI}": "pi",
    "\N{SQUARE ROOT}": "sqrt ",
}


def evaluate(expression: str) -> Number:
    """Raises ToolError, with words for the user, where it cannot be calculated."""
    parser = _Parser(_tokens(expression))
    try:
        value = parser.whole()
    except ZeroDivisionError:
        raise ToolError("Division by zero has no result.") from None
    except OverflowError:
        raise ToolError("The result is too large.") from None
    except ValueError:
        raise ToolError("That has no real result.") from None
    is_huge = (
        not math.isfinite(value)
        if isinstance(value, float)
        else max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS
    )
    if is_huge:
        raise ToolError("The result is too large.")
    return value


def _tokens(expression: str) -> list[str]:
    for symbol, replacement in SYMBOLS.items():
        expression = expression.replace(symbol, replacement)
    tokens: list[str] = []
    position, expression = 0, expression.rstrip().removesuffix("=").rstrip()
    while position < len(expression):
        match = TOKEN.match(expression, position)
        if match is None:
            raise ToolError(f"I do not understand {expression[position:].split()[0][:20]!r}.")
        tokens.append(match.group().strip().lower())
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Number:
        value = self._sum()
        if self._peek():
            raise ToolError(f"I do not understand {self._peek()!r} there.")
        return value

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _accept(self, *tokens: str) -> str:
        return self._next() if self._peek() in tokens else ""

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise ToolError(f"A {token!r} is missing.")

    def _sum(self) -> Number:
        value, _ = self._product()
        while operator := self._accept("+", "-"):
            right, is_percent = self._product()
            if is_percent:  # 80 + 15% adds 15 % of 80, as pocket calculators do
                right = value * right
            value = value + right if operator == "+" else value - right
        return value

    def _product(self) -> tuple[Number, bool]:
        """The value, and whether it is a bare percentage."""
        start = self._at
        value = self._signed()
        is_percent = self._at > start and self._tokens[self._at - 1] == "%"
        while operator := self._accept("*", "/", "//", "mod", "of", "%"):
            value = OPERATIONS[operator](value, self._signed())
            is_percent = False
        return value, is_percent

    def _signed(self) -> Number:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ToolError("That is nested too deeply.")
        sign = self._accept("-", "+")
        value = self._signed() if sign else self._power()
        self._depth -= 1
        return -value if sign == "-" else value

    def _power(self) -> Number:
        base = self._postfix()
        if self._accept("^", "**"):
            return power(base, self._signed())
        return base

    def _postfix(self) -> Number:
        value = self._atom()
        while True:
            if self._accept("!"):
                value = factorial(value)
            elif self._peek() == "%" and not self._begins_operand(self._at + 1):
                self._next()
                value = value / 100
            else:
                return value

    def _begins_operand(self, at: int) -> bool:
        token = self._tokens[at] if at < len(self._tokens) else ""
        return token not in {"of", "mod"} and bool(re.match(r"[\w.(]", token))

    def _atom(self) -> Number:
        word = self._next()
        if word == "(":
            value = self._sum()
            self._expect(")")
            return value
        if re.match(r"[\d.]", word):
            return Fraction(word.replace(",", ""))
        if word in CONSTANTS:
            return CONSTANTS[word]
        if word in FUNCTIONS:
            return FUNCTIONS[word](*self._arguments())
        raise ToolError(f"I do not understand {word!r}." if word else "Something is missing.")

    def _arguments(self) -> list[Number]:
        if not self._accept("("):
            return [self._power()]
        values = [self._sum()]
        while self._accept(","):
            values.append(self._sum())
        self._expect(")")
        return values


OPERATIONS: dict[str, Callable[[Number, Number], Number]] = {
    "*": lambda left, right: left * right,
    "of": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "//": lambda left, right: left // right,
    "mod": lambda left, right: left % right,
    "%": lambda left, right: left % right,
}
