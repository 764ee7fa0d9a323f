"""The kinds of namespaces: what the statistics are kept by, so there may be few of them."""

from __future__ import annotations

GENERATION = "generation"  # the keys that namespaces keep for themselves: no caller asked for those
OTHERS = "namespaces"  # those without a kind of their own, together
MOST = 100
_known = {GENERATION, OTHERS}


def family_of(part: str) -> str:
    """The first word of "user:7" or "tool_weather:". It begins the keys of the namespace.

    A part without a colon is a name, not a kind, and a site may have any number of names: those
    share `OTHERS`, as do all kinds after the first hundred. A "|" would end the word early where
    counts are reported, so it becomes "_".
    """
    word, colon, _ = part.partition(":")
    word = word.replace("|", "_")
    if colon and word and word not in _known and len(_known) < MOST:
        _known.add(word)
    return word if colon and word in _known else OTHERS


def is_counted(word: str) -> bool:
    return word in _known
