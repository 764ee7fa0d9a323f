"""Questions about the length of a text, turned into arguments for `text_statistics`."""

from __future__ import annotations

import re

from conversations.ai.guide.plans import Use, use

WHAT = r"(?P<what>words?|characters?|chars|letters?|sentences?|lines?|paragraphs?|length|long|reading time)"
QUOTED = re.compile(
    r"[\"\N{LEFT DOUBLE QUOTATION MARK}\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}](?P<text>.+)[\"\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}]",
    re.DOTALL,
)
ASKING = re.compile(
    rf"\b(?:how many|count|number of|{WHAT.replace('what', 'first')} count|how long)\b|^length of",
    re.IGNORECASE,
)
OF = re.compile(rf"\b{WHAT}\b", re.IGNORECASE)
AFTER_COLON = re.compile(
    rf"^[^:\n]{{0,80}}\b{WHAT}\b[^:\n]{{0,60}}:\s*(?P<text>.+)$", re.IGNORECASE | re.DOTALL
)
ONE_WORD = re.compile(
    r"^(?:how many|count the|number of) (?P<what>characters?|letters?) (?:are |is )?(?:there )?(?:in|of|does)"
    r" (?:the (?:word|name) )?['\"]?(?P<text>[^\W\d_]+)['\"]?(?: have)?\s*\??$",
    re.IGNORECASE,
)


def count(text: str) -> Use | None:
    """The plan for a question that brings its text along, in quotation marks or after a colon."""
    if one := ONE_WORD.match(text.strip()):
        return use("text_statistics", _kind(one["what"]), text=one["text"])
    if not ASKING.search(text[:120]):
        return None
    if colon := AFTER_COLON.match(text.strip()):
        return use("text_statistics", _kind(colon["what"]), text=colon["text"].strip("\"' "))
    quoted = QUOTED.search(text)
    of = OF.search(text[: quoted.start()] + " " + text[quoted.end() :]) if quoted else None
    if quoted is None or of is None:
        return None
    return use("text_statistics", _kind(of["what"]), text=quoted["text"])


def _kind(what: str) -> str:
    singular = what.lower().removesuffix("s")
    return {"char": "character", "length": "character", "long": "character"}.get(singular, singular)
