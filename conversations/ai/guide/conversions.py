"""Questions about units, turned into arguments for `units`."""

from __future__ import annotations

import re

from conversations.ai.guide.plans import Use, use

AMOUNT = r"[-+]?(?:\d[\d.,]*(?:/\d+)?|half an?|an?|one)\b ?\S.*?|[-+]?\d[\d.,]*['°\"a-z].*?"
IS = r"(?:what is |what are |how much is |how much are |how (?:far|long|heavy|tall|big|hot|cold|fast|high|wide) is )"
_PATTERNS = (
    rf"(?:convert|change|turn|express) (?P<quantity>{AMOUNT}) (?:to|into|in|as) (?:an? )?(?P<to>.+)",
    (
        rf"how (?:many|much) (?P<to>.+?) (?:are there in|are in|is in|is|are|in|makes?|equals?|go into|to)"
        rf" (?P<quantity>{AMOUNT})"
    ),
    rf"{IS}?(?P<quantity>{AMOUNT}) (?:to|into|in|as|in terms of|equals how many|is how many) (?P<to>[^\d]+)",
)
PATTERNS = tuple(re.compile(pattern) for pattern in _PATTERNS)
ONE = re.compile(r"^(?:an?|one) ")


def conversion(question: str) -> Use | None:
    """The plan for a plain question about units, or None. Whether they are units, the tool says."""
    for pattern in PATTERNS:
        if match := pattern.fullmatch(question):
            quantity = re.sub(r"^half an? ", "0.5 ", ONE.sub("1 ", match["quantity"]))
            return use("units", quantity=quantity[:100], to=match["to"][:50])
    return None
