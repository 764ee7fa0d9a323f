"""Questions without what people put around them: politeness, punctuation, contractions."""

from __future__ import annotations

import re

NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
LONGEST = 300  # characters that the patterns look at; longer texts are no short questions

CONTRACTIONS = (
    (re.compile(r"\b(what|where|when|how|who|it|that)(?:'s|s)(?= )"), r"\1 is"),
    (re.compile(r"\bi'?ve\b"), "i have"),
    (re.compile(r"\b(what|where|when|how)'re\b"), r"\1 are"),
)
BEFORE = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|so|well|um|please|pls|guide|quick question|now|actually)\b[,:!.]*\s+"
    r"|(?:can|could|would|will) (?:you|u) (?:please |kindly )?(?:tell me|show me|give me|say)\s+"
    r"|(?:can|could|would|will) (?:you|u) (?:please |kindly )?"
    r"(?=work out|calculate|compute|convert|count|solve|find|search|look|show|change)"
    r"|(?:please )?tell me\s+|do you (?:happen to )?know\s+|(?:i want|i'd like|i would like) to know\s+"
    r"|any idea\s+|remind me\s+(?:of\s+)?)+"
)
ENDS = re.compile(r"^[\s?!.,;]+|(?:[\s?.,;]|(?<!\d)!)+$")
AFTER = re.compile(
    r"(?:[\s,]+(?:please|pls|thanks|thank you|for me|exactly|right now|currently|then))+$"
)


def plain(text: str) -> str:
    """In lower case and on one line, without the ornaments. Quotation marks stay."""
    words = " ".join(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower().split())
    words = ENDS.sub("", words)
    for pattern, replacement in CONTRACTIONS:
        words = pattern.sub(replacement, words)
    words = BEFORE.sub("", words)
    return ENDS.sub("", AFTER.sub("", words))
