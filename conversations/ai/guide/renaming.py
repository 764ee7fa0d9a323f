"""Requests to give the conversation another name: the one thing that the Guide changes, when allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conversations.ai.base import Turn
from conversations.ai.guide.plans import Use, use

_THIS = r"(?:this|the|my|our) (?:conversation|chat|thread)"
_PATTERNS = (
    rf"(?:rename|retitle) {_THIS}(?: to| as| into|:) ?(?P<title>.+)",
    rf"(?:call|name|title) {_THIS}(?: as|:)? (?P<title>(?!(?:some|any)(?:thing|how)\b|different).+)",
    rf"(?:change|set) the (?:name|title) of {_THIS} (?:to|into) (?P<title>.+)",
    rf"(?:change|set) {_THIS}'?s? (?:name|title) (?:to|into) (?P<title>.+)",
    rf"give {_THIS} the (?:name|title) (?P<title>.+)",
)
PATTERNS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _PATTERNS)
POLITE = re.compile(r"^(?:please |(?:can|could|would|will) you (?:please )?)+", re.IGNORECASE)
LONGEST = 120
MARKS = " .!?\"'“”«»`"


def renaming(text: str, question: str, earlier: Sequence[Turn]) -> Use | None:
    """The plan for a request that says the new name; None for a question about how it is done."""
    words = POLITE.sub("", " ".join(text.split()).rstrip("?"))
    found = next((match for one in PATTERNS if (match := one.fullmatch(words))), None)
    title = found["title"].strip(MARKS) if found else ""
    return use("rename_conversation", title=title) if 0 < len(title) <= LONGEST else None
