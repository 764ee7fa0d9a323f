"""Somebody with an account, three windows, and a word that stands in everything of theirs."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.test import Client

from conversations.models import Attachment, Conversation, Message, Reply
from tests.factories import UserFactory
from tests.integration.stale.browsers import Browser, Page

_numbers = itertools.count(1)
SETTINGS = [
    "",
    "assistant/",
    "history/",
    "appearance/",
    "language/",
    "privacy/",
    "shares/",
    "usage/",
]


class Person:
    """`browser` keeps pages and `plain` keeps none; what is done is done in a `window` beside them."""

    def __init__(self, name: str) -> None:
        self.canary = f"zq{name}{next(_numbers)}"
        self.user: Any = UserFactory.create(username=self.canary)
        self.browser, self.plain = Browser(keeps=True), Browser(keeps=False)
        self.window = Client()
        self.links: list[str] = []
        self.sign_in()

    def sign_in(self) -> None:
        for client in (self.browser.client, self.plain.client, self.window):
            client.force_login(self.user)

    def post(self, url: str, **data: Any) -> HttpResponse:
        """Whatever comes of it, but for an error of the site."""
        response: Any = self.window.post(url, {"key": str(uuid.uuid4()), **data})
        assert response.status_code < 500, (url, data, response.content[:500])
        return response  # type: ignore[no-any-return]

    def words(self, words: str) -> str:
        return f"{words} {self.canary} {next(_numbers)}"

    @property
    def conversations(self) -> list[Conversation]:
        """The newest first."""
        return list(Conversation.objects.filter(user=self.user).newest_first())

    def conversation(self, pick: int) -> Conversation | None:
        return picked(self.conversations, pick)

    def answer(self, pick: int, *statuses: str) -> Reply | None:
        """Of those in these states; the newest for a pick of 0."""
        own = Reply.objects.filter(message__conversation__user=self.user, status__in=statuses)
        return picked(own.select_related("message__conversation").order_by("-pk"), pick)

    def file(self, *states: str) -> Attachment | None:
        own = Attachment.objects.filter(user=self.user, state__in=states)
        return own.exclude(conversation=None).order_by("-created_at").first()

    def pages(self) -> list[Page]:
        """All that is looked at, what shows most of it first."""
        conversations = self.conversations[:2]
        found = [Page("/")]
        for conversation in conversations:
            found += _of(conversation, self.canary)
        found += [Page("/", part=True), Page("/?show=pinned"), Page("/?show=archived")]
        found += [Page(f"/?tag={self.canary}"), Page(f"/search/?words={self.canary}")]
        found += [Page(f"/settings/{name}") for name in SETTINGS]
        found += [Page("/help/"), Page("/help/first-steps/"), Page("/nowhere/")]
        found += map(Page, self.links[-2:])
        return found


def _of(conversation: Conversation, word: str) -> list[Page]:
    own = conversation.get_absolute_url()
    found = [Page(own)]
    ends = Message.objects.filter(conversation=conversation).order_by("pk")
    if first := ends.first():
        last: Any = ends.last()
        found += [Page(f"{own}messages/{last.pk}/", part=True), Page(f"{own}?at={first.pk}")]
        found += [Page(f"{own}messages/?from=1", part=True)]
        found += [Page(f"{own}messages/?before={last.pk}", part=True)]
    return [*found, Page(f"{own}look/?words={word}")]


def picked[T](found: Sequence[T] | Any, pick: int) -> T | None:
    rows = list(found)
    return rows[pick % len(rows)] if rows else None
