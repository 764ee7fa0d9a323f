"""Names for conversations: a few words out of the first question, or what a model proposes."""

from __future__ import annotations

import re

from django.utils.text import Truncator

LENGTH = 60
REQUEST = (
    "Give this conversation a title of at most six words, in the language of the question."
    " Answer with the title alone, without quotation marks."
)
POLITENESS = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|so|well|please|thanks)\b[\s,.!:]*"
    r"|(?:can|could|would|will) you (?:please |kindly )?(?:(?:tell|show|give|help) me (?:with |about )?)?"
    r"|(?:please )?tell me (?:about )?|do you know (?:if )?|i(?:'d| would) like to know (?:if )?|i want to know (?:if )?)+",
    re.IGNORECASE,
)
ASKING = re.compile(
    r"^(?:what(?:'s|s| is| are| was| were) (?:the |an? )?|how (?:do|can|could|would|should|to) (?:i |we |one )?|who(?:'s| is) )"
    r"(?=\S+ ?\S)",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(?<=[.!?])\s+")
MARKS = re.compile(r"[*_`#>]+")


def from_question(question: str) -> str:
    """The question without what people put around it, cut to LENGTH; as it is where little is left."""
    words = " ".join(MARKS.sub("", question[:500]).split())
    first = SENTENCE.split(words)[0]
    short = ASKING.sub("", POLITENESS.sub("", first)).rstrip(" ?.!,;:")
    return _cut(short if len(short) > 3 else words)


def cleaned(title: str) -> str:
    """One line of a model's proposal, without marks and quotation marks around it."""
    lines = [line for line in title.splitlines() if line.strip()]
    words = " ".join(MARKS.sub("", lines[0]).split()) if lines else ""
    return _cut(words.removeprefix("Title:").strip(" \"'“”„«».").replace("\0", ""))


def _cut(words: str) -> str:
    title = Truncator(words).chars(LENGTH)
    return title[:1].upper() + title[1:]
