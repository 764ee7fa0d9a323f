"""How well texts fit a question: by meaning, and by whether each word that matters is met in them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np

from conversations.ai.embeddings import Vectors, embed

WORD = re.compile(r"\w+")
# Words that say nothing about the subject, in questions above all.
_STOP_WORDS = """
    a about again all already also always am an and another any anybody anyone are aren as at back be been
    being boss but by can colleague come comes coming could coworker d did didn do does doesn doing don done
    down each ever every everything for friend from get gets getting give go goes going got had happen happens
    has have having help here how i if in into is isn it its just know let like ll long look m make makes many
    may me mean means might mine much must my need needs never new no not now of off on one ones only or other
    our out over own people per please possible put re really s see shall should so some somebody someone something
    still t tell than that the their them then there these they thing things think this those to too try under
    up us use used using ve very want wanted was way we were what whats when where which who whom whose why
    will with without won work working works would yes you your yours
    actually anyway big bit different easily easy either first her here him his hello
    kind last little lot maybe more most normal often old once page place properly quite quickly rather ready
    right said same say says seems she he simple simply site small sort sure today twice usually website where wish
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def subject_words(text: str) -> list[str]:
    """The words that say what it is about, in lower case, each once."""
    found = dict.fromkeys(WORD.findall(text.lower()))
    return [word for word in found if word not in STOP_WORDS and (len(word) > 1 or word.isdigit())]


class Words:
    """The subject words of many texts, to be compared by meaning with those of a question."""

    def __init__(self, texts: Sequence[str]) -> None:
        lists = [subject_words(text) or [""] for text in texts]
        distinct = dict.fromkeys(word for words in lists for word in words)
        vocabulary = {word: number for number, word in enumerate(distinct)}
        self._vectors = _vectors(list(vocabulary))
        self._columns = np.array([vocabulary[word] for words in lists for word in words])
        self._starts = np.cumsum([0, *(len(words) for words in lists[:-1])])

    def met(self, question: str) -> tuple[Vectors, Vectors]:
        """For each text how well it meets the question's words: on average, and the worst met one.

        1 is the same word, about 0.6 a near one. A question without such words gives 0.7.
        """
        wanted = subject_words(question)
        if not wanted:
            same = np.full(len(self._starts), 0.7, np.float32)
            return same, same
        likeness = _vectors(wanted) @ self._vectors.T
        best: Vectors = np.maximum.reduceat(likeness[:, self._columns], self._starts, axis=1)
        return np.mean(best, axis=0), np.min(best, axis=0)


def _vectors(words: list[str]) -> Vectors:
    return np.array([_vector(word) for word in words])


@functools.lru_cache(maxsize=20_000)
def _vector(word: str) -> Vectors:
    row: Vectors = embed([word])[0]
    return row
