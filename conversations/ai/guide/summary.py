"""A summary made of the conversation's own sentences: the ones most like the whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from conversations.ai.base import Turn
from conversations.ai.embeddings import embed

ASKED = re.compile(
    r"(?:please )?(?:can you |could you )?(?:(?:give|show) me |write |make )?(?:a |an |the |us a )?(?:short |brief |quick )?"
    r"(?:summar(?:y|ise|ize)|recap|sum up|tl;?dr|overview)(?: of| for)?(?: me)?(?: up)?"
    r"(?: (?:this|our|the|my|it|all|everything|what (?:we|i) (?:said|talked about|discussed|wrote)))?"
    r"(?: whole| entire| current)?(?: (?:conversation|chat|thread|discussion|talk|so far|above))*"
    r"|what (?:have we|did we) (?:talk|talked|discuss|discussed)(?: about)?(?: so far)?"
)
SENTENCES = 5
SHORTEST = 12  # characters
LIKE = 0.85  # two sentences more alike than this say the same
CONSIDERED = 400  # sentences, the newest


def is_asked(question: str) -> bool:
    return bool(ASKED.fullmatch(question))


def summary(turns: Sequence[Turn]) -> str:
    """Up to five of the user's sentences, in their order, as a Markdown list; empty without any."""
    sentences = [
        sentence.strip()
        for turn in turns
        if turn.role == "user"
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", turn.text)
        if len(sentence.strip()) >= SHORTEST and not sentence.strip().endswith("?")
    ][-CONSIDERED:]
    if not sentences:
        return ""
    return "\n".join(f"- {sentences[at][:300]}" for at in central(sentences))


def central(sentences: list[str]) -> list[int]:
    """Which of the sentences are most like all of them together, in their order."""
    vectors = embed(sentences)
    centre = vectors.mean(axis=0)
    chosen: list[int] = []
    for at in np.argsort(-(vectors @ centre)):
        if all(float(vectors[at] @ vectors[other]) < LIKE for other in chosen):
            chosen.append(int(at))
        if len(chosen) == SENTENCES:
            break
    return sorted(chosen)
