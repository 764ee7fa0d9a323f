"""A conversation's page as its scripts keep it (static/conversations/stream.js), without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any, Protocol

from django.utils.html import strip_tags

from tests.verification.resume.answer import Answer

HELD = 500
MEND = 0.3  # seconds
LOOK = 2.5

ARTICLE = re.compile(
    r'<article class="message (\w+)" id="m(\d+)"([^>]*)>(.*?)</article>', re.DOTALL
)
DATA = re.compile(r'data-([a-z]+)="([^"]*)"')
BLOCKS = re.compile(r'<div class="prose" dir="auto" data-blocks>(.*?)</div>', re.DOTALL)


@dataclass(frozen=True)
class Article:
    """A message as the server drew it; a question has no `status`."""

    number: int
    place: int
    status: str
    attempt: int
    length: int
    start: str
    html: str

    @property
    def is_live(self) -> bool:
        return self.status in {"pending", "running"}


def articles(html: str) -> list[Article]:
    """The messages of a page, or of a part of one."""
    found = []
    for _role, number, attributes, inside in ARTICLE.findall(html):
        data = dict(DATA.findall(attributes))
        blocks = BLOCKS.search(inside)
        found.append(
            Article(
                number=int(number),
                place=int(data["place"]),
                status=data.get("status", ""),
                attempt=int(data.get("attempt", 0)),
                length=int(data.get("length", 0)),
                start=data.get("start", ""),
                html=blocks[1] if blocks else "",
            )
        )
    return found


def words(html: str) -> list[str]:
    """What is read there, however it looks."""
    return unescape(strip_tags(html.replace("<", " <"))).split()


class Asks(Protocol):
    """What a page wants of its browser."""

    def refresh(self, number: int, *, force: bool) -> None: ...
    def follow(self, first: int | None = None) -> None: ...
    def reconnect(self) -> None: ...
    def mend(self, number: int) -> None: ...
    def heard(self, answer: Answer) -> None: ...


class Page:
    """Its messages by number, in the order in which they stand."""

    def __init__(self, browser: Asks, drawn: list[Article], after: str) -> None:
        self._browser = browser
        self.cursor = after
        self.shown: dict[int, Article | Answer] = {}
        self.held: dict[int, list[tuple[str, dict[str, Any]]]] = {}
        self.elsewhere: set[int] = set()
        self.is_sending = False
        self.announced: int | None = None
        for article in drawn:
            self.add(article)

    @property
    def answers(self) -> list[Answer]:
        return [one for one in self.shown.values() if isinstance(one, Answer)]

    @property
    def last_place(self) -> int:
        return max((one.place for one in self.shown.values()), default=0)

    def add(self, article: Article) -> None:
        """Shows it where it is new, or in place of the one that is shown."""
        self.elsewhere.discard(article.number)
        self.shown[article.number] = Answer(article) if article.status else article
        for kind, data in self.held.pop(article.number, []):
            self.take(kind, data)

    def replace(self, article: Article, *, force: bool) -> None:
        known = self.shown.get(article.number)
        if not isinstance(known, Answer):
            return
        if not article.is_live or force or not known.shows(article):
            self.add(article)

    def show_from(self, first: int, part: list[Article]) -> None:
        kept = {article.number for article in part}
        for number, one in list(self.shown.items()):
            if one.place >= first and number not in kept:
                del self.shown[number]
                self.elsewhere.add(number)
        for article in part:
            if article.number not in self.shown:
                self.add(article)

    def leave(self) -> None:
        """What is not here after a look belongs to another version."""
        self.elsewhere.update(self.held)
        self.held.clear()

    def send(self, part: list[Article]) -> None:
        """The form's answer brings the question and the beginning of its answer."""
        for article in part:
            if article.number not in self.shown:
                self.add(article)

    def acted(self, part: list[Article]) -> None:
        """What a button's form was answered; an answer that is still to be stopped stays as it is."""
        for article in part:
            known = self.shown.get(article.number)
            is_news = isinstance(known, Answer) and not known.is_newer_than(article)
            if is_news and not article.is_live:
                self.add(article)

    def stop_sending(self) -> None:
        self.is_sending = False
        place, self.announced = self.announced, None
        if place is not None:
            self._browser.follow(place)

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """One event of the stream."""
        number = data.get("m", 0)
        if kind == "message":
            self._message(number, data["p"])
        elif number in self.elsewhere or kind in {"ahead", "title"}:
            return
        elif number and number not in self.shown:
            self.held[number] = [*self.held.get(number, []), (kind, data)][-HELD:]
        elif kind == "reset":
            for answer in [one for one in self.answers if one.is_live]:
                self._browser.refresh(answer.number, force=True)
            self._browser.follow()
        elif kind == "bye":
            self._browser.reconnect()
        else:
            self._of_answer(kind, self.shown[number], data)

    def _message(self, number: int, place: int) -> None:
        if number in self.shown:
            return
        if self.is_sending:
            self.announced = place
        else:
            self._browser.follow(place)

    def _of_answer(self, kind: str, known: Article | Answer, data: dict[str, Any]) -> None:
        if kind == "state":
            self._browser.refresh(known.number, force=True)
            return
        if not isinstance(known, Answer) or not known.accepts(data["a"]):
            return
        match kind:
            case "begin":
                known.begin()
            case "text" if not known.text(data["o"], data["t"]):
                self._browser.mend(known.number)
            case "block" if not known.block(data["o"], data["h"]):
                self._browser.mend(known.number)
            case "done":
                self._browser.heard(known)
                self._browser.refresh(known.number, force=True)
