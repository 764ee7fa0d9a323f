"""Arithmetic in words, turned into an expression for the calculator."""

from __future__ import annotations

import re

from conversations.ai.guide.phrases import NUMBER_WORDS

ASKING = re.compile(
    r"^(?:what is|what are|what does|how much is|how much are|how much would|calculate|compute|work out|solve"
    r"|evaluate|what do (?:i|you|we) get (?:when|if) (?:i|you|we)|if (?:i|you|we)|the result of"
    r"|what would be|what will be)\s+"
)
NUMBER = r"[\d.,]+"
ENTITY = r"(?P<a>.+?)"
WHOLE = (
    (re.compile(rf"add {ENTITY} (?:and|to|plus) (?P<b>.+)"), r"(\g<a>) + (\g<b>)"),
    (re.compile(rf"subtract {ENTITY} from (?P<b>.+)"), r"(\g<b>) - (\g<a>)"),
    (re.compile(rf"multiply {ENTITY} (?:by|with|and) (?P<b>.+)"), r"(\g<a>) * (\g<b>)"),
    (re.compile(rf"divide {ENTITY} by (?P<b>.+)"), r"(\g<a>) / (\g<b>)"),
    (re.compile(rf"(?:the )?sum of {ENTITY} and (?P<b>.+)"), r"(\g<a>) + (\g<b>)"),
    (re.compile(rf"(?:the )?product of {ENTITY} and (?P<b>.+)"), r"(\g<a>) * (\g<b>)"),
    (
        re.compile(rf"(?:the )?difference (?:between|of) {ENTITY} and (?P<b>.+)"),
        r"(\g<a>) - (\g<b>)",
    ),
    (
        re.compile(rf"(?P<p>{NUMBER}) ?% (?:off|discount on|less than) (?P<b>.+)"),
        r"(\g<b>) - \g<p>%",
    ),
    (re.compile(rf"(?P<b>{NUMBER}) with (?P<p>{NUMBER}) ?% off"), r"\g<b> - \g<p>%"),
    (
        re.compile(rf"(?:what )?percent(?:age)? of (?P<b>{NUMBER}) is (?P<a>{NUMBER})"),
        r"\g<a> / \g<b> * 100",
    ),
    (
        re.compile(rf"(?P<a>{NUMBER}) (?:is|as) (?:what|a) percent(?:age)? of (?P<b>{NUMBER})"),
        r"\g<a> / \g<b> * 100",
    ),
    (re.compile(r"(?:the )?factorial of (?P<a>\d+)"), r"\g<a>!"),
)
WORDS = (
    (r"\N{MULTIPLICATION SIGN}|\N{MIDDLE DOT}", "*"),
    (r"\N{DIVISION SIGN}", "/"),
    (r"\N{MINUS SIGN}", "-"),
    (r"\s*(?:percent|per cent)\b", "%"),
    (r"(?<=%) (?:tip|tax|vat|interest|discount) (?:on|of)\b", " of"),
    (r"\b(log(?:10|2)?|ln|sin|cos|tan|sqrt) of\b", r"\1"),
    (r"\blog10\b", "log"),
    (r" (?:as an?|in) (?:decimals?|number|fraction)$", ""),
    (r"(?<=\d) factorial\b", "!"),
    (r"\b(?:the )?square root of\b", "sqrt"),
    (r"\b(?:the )?cube root of\b", "cbrt"),
    (r"\bsquared\b", "^2"),
    (r"\bcubed\b", "^3"),
    (r"\b(?:raised )?to the power (?:of )?|\braised to\b", "^"),
    (r"\bto the (\d+)(?:st|nd|rd|th)(?: power)?\b", r"^\1"),
    (r"\b(?:a |one )?half of\b", "1/2 *"),
    (r"\b(?:a |one )?third of\b", "1/3 *"),
    (r"\b(?:a |one )?quarter of\b", "1/4 *"),
    (r"\b(?:double|twice)\b", "2 *"),
    (r"\b(?:plus|added to)\b", "+"),
    (r"\bminus\b", "-"),
    (r"\b(?:multiplied by|times)\b", "*"),
    (r"\b(?:divided by|over)\b", "/"),
    (r"\bmodulo\b", "mod"),
    (r"(?<=\d)\s*x\s*(?=\d)", " * "),
    (r"\b(?:euros?|dollars?|bucks|usd|eur|gbp)\b|[$€£]", ""),
)
REPLACEMENTS = tuple((re.compile(pattern), replacement) for pattern, replacement in WORDS)
DIGITS = {word: str(number) for number, word in enumerate(NUMBER_WORDS)} | {
    "twenty": "20",
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "hundred": "100",
}

FUNCTION = r"sqrt|cbrt|abs|round|floor|ceil|min|max|gcd|lcm|factorial|log|ln|exp|a?sin|a?cos|a?tan"
EXPRESSION = re.compile(
    rf"(?:[\d.,+\-*/^%!()=\s²³π√]|\b(?:{FUNCTION}|mod|of|pi|e)\b|(?<=\d)e[+-]?\d)+"
)
OPERATION = re.compile(
    rf"\d\s*[!²³]|√|\b(?:{FUNCTION})\b|[\dπ)%ei]\s*(?:[-+*/^%]|\bmod\b|\bof\b).*[\dπei]"
)
NOT_ARITHMETIC = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\+?\d{2,5}(?:-\d{2,})+"
)


def expression(question: str) -> str | None:
    """The expression in a plain question, or None where it is not one of arithmetic."""
    text = ASKING.sub("", question).rstrip(" =")
    for pattern, replacement in WHOLE:
        if match := pattern.fullmatch(_worded(text)):
            text = match.expand(replacement)
            break
    text = " ".join(_worded(text).split())
    if (
        NOT_ARITHMETIC.fullmatch(text)
        or not EXPRESSION.fullmatch(text)
        or not OPERATION.search(text)
    ):
        return None
    return text.rstrip(" =")


def continuation(question: str) -> str | None:
    """What goes on from an earlier result: "times 2" is "* 2"."""
    text = " ".join(_worded(re.sub(r"^(?:and|then|now)\s+", "", question)).split())
    text = re.sub(r"^(?:multiply|multiplied) (?:it|that) by", "*", text)
    text = re.sub(r"^divide (?:it|that) by", "/", text)
    text = re.sub(r"^add", "+", text)
    match = re.fullmatch(r"(?:[-+*/^]|mod)\s*\d[\d.,]*%?|(?:divided )?\^[23]", text)
    return text if match else None


def _worded(text: str) -> str:
    for pattern, replacement in REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return re.sub(r"\b[a-z]+\b", lambda word: DIGITS.get(word[0], word[0]), text)
