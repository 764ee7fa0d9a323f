"""Answers out of the files that were sent along: their passages, quoted with page and line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from conversations.ai.base import File, Passage, Turn
from conversations.ai.embeddings import embed
from conversations.ai.guide import summary
from conversations.ai.guide.plans import Plan, Say
from conversations.citations import citation

QUOTED = 3
SENTENCES = 400  # that are compared
MATCH = 0.45  # of a question that came with the file; one about an older file has to fit better
LATER_MATCH = 0.62
AROUND = 1  # lines shown before and after
MEETS = 0.35  # the share that the met words have in the score
ABOUT = re.compile(
    r"\b(?:file|files|pdf|document|attachment|attached|table|csv|report|paper|text)\b",
    re.IGNORECASE,
)
SUMMARY = re.compile(
    r"\b(?:summar(?:y|ise|ize)|overview|sum up|main points|key points|about)\b", re.IGNORECASE
)


class Place(NamedTuple):
    """A line of a file."""

    file: File
    passage: Passage
    line: int
    text: str

    @property
    def citation(self) -> str:
        return citation(self.file.name, self.passage.page or None, self.line)


def answer(question: str, turn: Turn, earlier: Sequence[Turn]) -> Plan | None:
    """What the files of this turn say, or, where they are asked for, those of earlier ones."""
    if turn.files:
        return _from(question, turn.files, MATCH) or Say(_nothing(turn.files))
    files = [file for one in earlier for file in one.files]
    if not files:
        return None
    least = MATCH if ABOUT.search(question) else LATER_MATCH
    return _from(question, files, least)


def _from(question: str, files: Sequence[File], least: float) -> Plan | None:
    places = list(_places(files))
    if not places:
        return None
    if not question.strip() or SUMMARY.search(question):
        return Say(_summary(places) + _notes(files))
    found = _nearest(question, places, least)
    if not found:
        return None
    return Say("\n\n".join(map(_quote, found)) + _notes(files))


def _places(files: Sequence[File]) -> list[Place]:
    return [
        Place(file, passage, number, line.strip())
        for file in files
        for passage in file.passages
        for number, line in enumerate(passage.text.split("\n"), passage.first_line)
        if line.strip()
    ]


def _nearest(question: str, places: list[Place], least: float) -> list[Place]:
    compared = places[: SENTENCES * 10]
    likeness = embed([place.text for place in compared]) @ embed([question])[0]
    likeness = (1 - MEETS) * likeness + MEETS * _met(question, compared)
    best = [int(at) for at in np.argsort(-likeness)[: QUOTED * 3] if likeness[at] >= least]
    chosen: list[int] = []
    for at in best:
        near_best = likeness[at] >= 0.85 * likeness[best[0]]
        if near_best and all(abs(at - other) > 2 * AROUND for other in chosen):
            chosen.append(at)
    return [compared[at] for at in sorted(chosen[:QUOTED])]


def _met(question: str, places: list[Place]) -> np.ndarray:
    """The share of the question's words that each line has, by their beginnings."""
    stems = {word[:5] for word in re.findall(r"\w{3,}", question.lower())} - COMMON
    if not stems:
        return np.zeros(len(places), np.float32)
    found = [
        len(stems & {word[:5] for word in re.findall(r"\w{3,}", place.text.lower())}) / len(stems)
        for place in places
    ]
    return np.array(found, np.float32)


COMMON = {
    word[:5]
    for word in [
        "the",
        "and",
        "what",
        "who",
        "when",
        "where",
        "which",
        "how",
        "does",
        "did",
        "was",
        "were",
        "are",
        "is",
        "for",
        "from",
        "with",
        "that",
        "this",
        "there",
        "file",
        "files",
        "document",
        "attached",
        "attachment",
        "tell",
        "say",
        "says",
        "about",
        "please",
        "can",
        "you",
        "pdf",
        "csv",
        "have",
        "has",
    ]
}


def _quote(place: Place) -> str:
    lines = place.passage.text.split("\n")
    at = place.line - place.passage.first_line
    start = max(0, at - AROUND)
    shown = [line.strip() for line in lines[start : at + AROUND + 1] if line.strip()]
    # Two blanks: each line stays one.
    return "  \n".join(f"> {_escaped(line)}" for line in shown) + f"\n\n{place.citation}"


def _escaped(line: str) -> str:
    """As it stands in the file: nothing of it is Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|~$])", r"\\\1", line)


def _summary(places: list[Place]) -> str:
    sentences = [place for place in places if len(place.text) >= summary.SHORTEST][:SENTENCES]
    if not sentences:
        sentences = places[:SENTENCES]
    chosen = summary.central([place.text for place in sentences])
    lines = [f"- {_escaped(sentences[at].text[:300])} {sentences[at].citation}" for at in chosen]
    return "The lines that say most about it:\n\n" + "\n".join(lines)


def _notes(files: Sequence[File]) -> str:
    notes = [
        f"{_escaped(file.name)}: {file.note.removesuffix('.')}." for file in files if file.note
    ]
    return "".join(f"\n\n{note}" for note in notes)


def _nothing(files: Sequence[File]) -> str:
    names = ", ".join(_escaped(file.name) for file in files)
    notes = _notes(files)
    if all(not file.passages for file in files):
        return f"I could not look into {names}.{notes}"
    return (
        f"I found nothing in {names} that answers this. I am no language model: I can only quote what stands there."
        f" Ask in words that the file may have, or ask for a summary of it.{notes}"
    )
