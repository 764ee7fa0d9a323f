"""What the assistant is told of a conversation's files: all of them where there is room, else the passages
that fit the question best, by their words (PostgreSQL) and by their meaning (embeddings)."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, QuerySet, Sum, Value
from django.db.models.functions import Length

from conversations.ai.base import File, Passage
from conversations.ai.embeddings import Vectors, embed
from conversations.attachments.limits import limits
from conversations.attachments.problems import explanation
from conversations.models import Attachment, AttachmentPage, Kind, Message, Role
from conversations.tools.matching import Words, subject_words

CHARACTERS_A_TOKEN = 4  # as English has; a model counts for itself
PASSAGE = 900  # characters, about
NEAR = 40  # pages whose passages are compared with the question
FIRST = 2  # pages of each file are looked at whatever the question
PICTURES = 4  # the newest of a conversation; each costs a model a thousand tokens or so

UNREAD = "it is still being read; the question can be asked again in a moment"
NOT_SEEN = "it is an image, and this assistant reads no images"
NOT_NOW = "it is an image that was sent earlier, and is not shown again"


class Quotable(NamedTuple):
    """A passage with the file that it is of."""

    attachment: Attachment
    passage: Passage


def files(
    messages: Sequence[Message], *, takes_images: bool, patient: bool = False
) -> dict[int, tuple[File, ...]] | None:
    """Of each message with files what a backend is told of them; one statement where there are none.

    None where `patient` and one of them is still being read.
    """
    asked = [message for message in messages if message.role == Role.USER]
    found = _attachments(asked)
    if not found:
        return {}
    if patient and any(one.is_unread for ones in found.values() for one in ones):
        return None
    ready = {one.pk: one for ones in found.values() for one in ones if one.is_ready}
    texts = [one for one in ready.values() if not one.is_image]
    passages = _passages(texts, asked[-1].text)
    pictures = [one for one in ready.values() if one.is_image]
    shown = {one.pk for one in pictures[-PICTURES:]} if takes_images else set()
    return {
        number: tuple(_file(one, passages, shown, takes_images=takes_images) for one in ones)
        for number, ones in found.items()
    }


def _attachments(messages: Iterable[Message]) -> dict[int, list[Attachment]]:
    """Each file once, where it was sent first: another version of a question shares it."""
    links = Attachment.messages.through.objects.filter(
        message__in=[message.pk for message in messages]
    )
    rows = links.select_related("attachment").order_by("message_id", "attachment__created_at")
    found: dict[int, list[Attachment]] = defaultdict(list)
    seen = set()
    for row in rows:
        if row.attachment_id not in seen:
            seen.add(row.attachment_id)
            found[row.message_id].append(row.attachment)
    return dict(found)


def _file(
    attachment: Attachment,
    passages: dict[object, tuple[bool, list[Passage]]],
    shown: Collection[object],
    *,
    takes_images: bool,
) -> File:
    if attachment.is_unread:
        return File(attachment.name, note=UNREAD)
    if not attachment.is_ready:
        return File(attachment.name, note=explanation(attachment.problem))
    if attachment.is_image:
        if attachment.pk not in shown:
            return File(attachment.name, note=NOT_NOW if takes_images else NOT_SEEN)
        return File(attachment.name, media_type=attachment.media_type, picture=_picture(attachment))
    is_whole, found = passages.get(attachment.pk, (False, []))
    return File(attachment.name, tuple(found), is_whole=is_whole and not attachment.is_cut)


def _picture(attachment: Attachment) -> str:
    with attachment.file.open("rb") as file:
        return base64.b64encode(file.read()).decode()


def _passages(
    texts: Sequence[Attachment], question: str
) -> dict[object, tuple[bool, list[Passage]]]:
    """(are they all of it, passages) of each file, within the budget of tokens."""
    if not texts:
        return {}
    budget = limits().tokens * CHARACTERS_A_TOKEN
    pages = AttachmentPage.objects.filter(attachment__in=texts)
    whole = (pages.aggregate(all=Sum(Length("text")))["all"] or 0) <= budget
    if not whole:
        pages = _nearest_pages(pages, question)
    by_pk = {one.pk: one for one in texts}
    rows = pages.only("attachment", "number", "first_line", "text")
    found = [
        Quotable(by_pk[page.attachment_id], passage)
        for page in sorted(rows, key=lambda page: (str(page.attachment_id), page.number))
        for passage in split(page, has_pages=by_pk[page.attachment_id].kind == Kind.PDF)
    ]
    chosen = found if whole else _chosen(found, question, budget)
    result: dict[object, tuple[bool, list[Passage]]] = {one.pk: (whole, []) for one in texts}
    for one in chosen:
        result[one.attachment.pk][1].append(one.passage)
    return result


def _nearest_pages(pages: QuerySet[AttachmentPage], question: str) -> QuerySet[AttachmentPage]:
    """The pages with most of the question's words, and the first ones, which say what the file is."""
    words = " or ".join(subject_words(question)) or question
    wanted = SearchQuery(words, config="english", search_type="websearch")
    rank = SearchRank(F("document"), wanted, normalization=Value(1))
    ranked = pages.filter(document=wanted).annotate(rank=rank).order_by("-rank", "number")
    numbers = list(ranked.values_list("pk", flat=True)[:NEAR])
    first = pages.filter(number__lte=FIRST).order_by("number").values_list("pk", flat=True)
    return pages.filter(pk__in=[*numbers, *first[: NEAR - len(numbers) + FIRST]])


def split(page: AttachmentPage, *, has_pages: bool) -> Iterator[Passage]:
    """The page in passages of whole lines; empty ones at their ends are left out."""
    lines: list[str] = []
    first, size = page.first_line, 0
    for number, line in page.lines:
        if size and size + len(line) > PASSAGE:
            yield Passage(page.number if has_pages else 0, first, "\n".join(lines))
            lines, first, size = [], number, 0
        lines.append(line)
        size += len(line) + 1
    if any(line.strip() for line in lines):
        yield Passage(page.number if has_pages else 0, first, "\n".join(lines))


def _chosen(found: Sequence[Quotable], question: str, budget: int) -> list[Quotable]:
    """The best passages for which there is room, in their order in the files."""
    order = np.argsort(-scores([one.passage.text for one in found], question), kind="stable")
    chosen: list[int] = []
    for at in order:
        size = len(found[at].passage.text)
        if size > budget:
            continue
        budget -= size
        chosen.append(int(at))
    return [found[at] for at in sorted(chosen)]


def scores(texts: Sequence[str], question: str) -> Vectors:
    """How well each text fits the question, from 0 to about 1."""
    if not texts:
        return np.zeros(0, np.float32)
    meaning = embed(texts) @ embed([question])[0]
    met, worst = Words(texts).met(question)
    fit: Vectors = 0.5 * meaning + 0.3 * met + 0.2 * worst
    return fit
