"""Questions about what the user wrote earlier: what they are about."""

from __future__ import annotations

import re

I_SAID = (
    r"(?:did i|have i|i have|i had|i've|i)(?: ever| already)? (?:say|said|write|written|wrote|mention(?:ed)?|tell you"
    r"|told you|ask(?:ed)?(?: you)?|talk(?:ed)?|note[d]?(?: down)?|put)"
)
ABOUT = r"(?:about|on|regarding|concerning|of|for|with|in regard to)"
MINE = r"(?:my|all my|all of my|our|any of my)"
_PATTERNS = (
    rf"(?:what|where|when|which things)(?: else)? {I_SAID}(?: the (?:thing|bit|part|message)s?)?(?: {ABOUT})? (?P<topic>.+)",
    rf"{I_SAID}(?: anything| something)?(?: {ABOUT})? (?P<topic>.+)",
    (
        rf"(?:find|search|search for|show|show me|look up|look for|look through|list|get|give me)(?: me)? {MINE}"
        rf" (?:old |earlier |past )?(?:messages?|conversations?|chats?|notes?|history) (?:{ABOUT}|where i (?:mention|talk about)) (?P<topic>.+)"
    ),
    rf"(?:search|look) (?:in|through|for)? ?{MINE} (?:messages?|conversations?|chats?|notes?|history) for (?P<topic>.+)",
    rf"(?:find|search for|show me|look up|look for) what {I_SAID}(?: {ABOUT})? (?P<topic>.+)",
    r"(?:what|when|where|who|which|how much|how many) (?:is|was|were|are) (?P<topic>.+?) again",
)
PATTERNS = tuple(re.compile(pattern) for pattern in _PATTERNS)
TAIL = re.compile(
    r"(?: (?:again|before|earlier|last time|in (?:an|my) earlier (?:chat|conversation)|to you))+$"
)
PERSONAL = re.compile(r"\b(?:i|my|mine|me|we|our|us)\b")
HOW_TO = re.compile(
    r"^(?:how (?:do|can|could|should|to|would)|can i|may i|could i|is it possible|am i able)\b"
)


def topic(question: str) -> str | None:
    """What the user asks to have found in their own messages, or None."""
    for pattern in PATTERNS:
        if match := pattern.fullmatch(question):
            return TAIL.sub("", match["topic"]).strip()
    return None


def is_personal(question: str) -> bool:
    """Whether the user's own messages may hold the answer: "when is my dentist appointment"."""
    return bool(PERSONAL.search(question)) and not HOW_TO.match(question)
