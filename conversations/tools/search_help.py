"""The tool `search_help`: the site's help pages, by their words and by their meaning."""

from __future__ import annotations

import functools
import math
import re
from typing import Annotated, Any

import numpy as np
from asgiref.sync import sync_to_async
from django.db import connection
from msgspec import Meta

from conversations.ai.embeddings import Vectors, embed
from conversations.help import HelpPassage, help_passages
from conversations.tools.base import tool
from conversations.tools.matching import Words, subject_words

Query = Annotated[
    str,
    Meta(description="A question about this site.", min_length=1, max_length=500),
]
# The score that answers a question, by how well its worst met word is met. Found on the tuned half of
# the published questions; see docs/guide.md.
MARGINS = ((0.95, 0.58), (0.33, 0.74), (-1.0, 0.88))
MARGINS_HERE = ((0.33, 0.62), (-1.0, 0.70))  # for a question with a word that means this site
HERE = re.compile(
    r"\b(?:conversations?|chats?|threads?|messages?|repl(?:y|ies)|answers?|assistant|guide)\b",
    re.IGNORECASE,
)
# A question that names one of these is about something else, unless the passage names it too.
ELSEWHERE = re.compile(
    r"\b(?:airbnb|alexa|amazon|android|apple|bank|bing|bitcoin|car|discord|dropbox|ebay|excel|facebook|fridge"
    r"|git|github|gmail|google|house|icloud|instagram|ios|ipad|iphone|laptop|linkedin|linux|mac|macos|microsoft|netflix"
    r"|office|outlook|paypal|photoshop|playstation|powerpoint|printer|reddit|router|samsung|signal|siri|skype|slack"
    r"|snapchat|spotify|steam|teams|telegram|tesla|tiktok|tv|twitter|uber|ubuntu|whatsapp|windows|word|wordpress|xbox"
    r"|yahoo|youtube|zoom)\b",
    re.IGNORECASE,
)
NEAR = 0.55
SHOWN = 3

DOCUMENT = """
    setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', questions), 'B')
    || setweight(to_tsvector('english', body), 'C')
"""
DOCUMENTS = f"SELECT ({DOCUMENT})::text FROM unnest(%s::text[], %s::text[], %s::text[]) t(title, questions, body)"  # noqa: S608
RANKS = """
    SELECT number - 1, ts_rank_cd(document::tsvector, query)
    FROM unnest(%s::text[]) WITH ORDINALITY documents(document, number),
         CAST(replace(plainto_tsquery('english', %s)::text, '&', '|') AS tsquery) AS query
    WHERE document::tsvector @@ query
"""


@tool(ttl=300, scope="site")
async def search_help(query: Query) -> dict[str, Any]:
    """Finds passages of this site's help that answer a question about the site.

    `is_match` is False where a passage is only the nearest one and does not answer the question.
    """
    return {"passages": await sync_to_async(_search)(query)}


def _search(query: str) -> list[dict[str, Any]]:
    index = _index()
    scores, worst_met = index.scores(query)
    for number, rank in _text_ranks(query, index):
        scores[number] += rank
    best = np.argsort(-scores)[:SHOWN]
    return [
        _found(query, index.passages[at], float(scores[at]), float(worst_met[at])) for at in best
    ]


def _found(query: str, passage: HelpPassage, score: float, worst_met: float) -> dict[str, Any]:
    return {
        "title": passage.title,
        "url": passage.url,
        "text": passage.text,
        "score": round(score, 3),
        "is_match": score >= _margin(query, passage, worst_met),
        "is_near": score >= NEAR and _margin(query, passage, worst_met) < math.inf,
    }


def _margin(query: str, passage: HelpPassage, worst_met: float) -> float:
    named = {word.lower() for word in ELSEWHERE.findall(query)}
    if named - set(subject_words(passage.whole)):
        return math.inf
    margins = (*MARGINS, *MARGINS_HERE) if HERE.search(query) else MARGINS
    return min(margin for least, margin in margins if worst_met >= least)


class HelpIndex:
    """All passages with what is needed to compare them with a question."""

    def __init__(self, passages: tuple[HelpPassage, ...]) -> None:
        self.passages = passages
        asked = [
            (number, text)
            for number, one in enumerate(passages)
            for text in (one.title, *one.questions)
        ]
        self._owners = np.array([number for number, _ in asked])
        self._asked = embed([text for _, text in asked])
        self._bodies = embed([f"{one.title} {one.text}" for one in passages])
        self._words = Words([one.whole for one in passages])

    def scores(self, query: str) -> tuple[Vectors, Vectors]:
        """Of each passage its likeness to the query, and how well the query's worst met word is met."""
        vector = embed([query])[0]
        nearest = np.zeros(len(self.passages), np.float32)
        np.maximum.at(nearest, self._owners, self._asked @ vector)
        meaning = 0.8 * nearest + 0.2 * (self._bodies @ vector)
        met, worst_met = self._words.met(query)
        return 0.6 * meaning + 0.25 * met + 0.15 * worst_met, worst_met


@functools.cache
def _index() -> HelpIndex:
    return HelpIndex(help_passages())


@functools.cache
def _documents() -> list[str]:
    """The passages as PostgreSQL's text search vectors; a few kilobytes, sent along with each query."""
    passages = help_passages()
    columns = [
        [one.title for one in passages],
        [" ".join(one.questions) for one in passages],
        [one.text for one in passages],
    ]
    with connection.cursor() as cursor:
        cursor.execute(DOCUMENTS, columns)
        return [document for (document,) in cursor.fetchall()]


def _text_ranks(query: str, index: HelpIndex) -> list[tuple[int, float]]:
    """What full text search adds to the score: up to 0.05, by reciprocal rank."""
    with connection.cursor() as cursor:
        cursor.execute(RANKS, [_documents(), query])
        found = sorted(cursor.fetchall(), key=lambda row: -row[1])
    return [(number, 0.05 / place) for place, (number, _) in enumerate(found, start=1)]
