"""The tool `text_statistics`."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from conversations.tools.base import tool

WORD = re.compile(r"[^\W_]+(?:['\u2019.\-][^\W_]+)*")
SENTENCE_END = re.compile(r"[.!?…]+(?=[\s\"'\u201d\u2019)]|$)")
WORDS_PER_MINUTE = 230

Words = Annotated[str, Meta(description="The text itself.", max_length=50_000)]


@tool(ttl=86_400, scope="site")
def text_statistics(text: Words) -> dict[str, int]:
    """Counts the characters, letters, words, sentences, lines and paragraphs of a text.

    `reading_seconds` supposes 230 words a minute.
    """
    words = WORD.findall(text)
    sentences = len(SENTENCE_END.findall(text.rstrip()))
    unended = bool(words) and not SENTENCE_END.search(text.rstrip()[-2:])
    return {
        "characters": len(text),
        "characters_without_spaces": sum(not character.isspace() for character in text),
        "letters": sum(character.isalpha() for character in text),
        "words": len(words),
        "different_words": len({word.casefold() for word in words}),
        "sentences": sentences + unended,
        "lines": len(text.splitlines()),
        "paragraphs": sum(bool(part.strip()) for part in re.split(r"\n\s*\n", text)),
        "reading_seconds": round(len(words) * 60 / WORDS_PER_MINUTE),
    }
