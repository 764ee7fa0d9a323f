"""The public page: alike for everybody, cheap at any length, and one answer for every link that fails."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations import sharing
from conversations.models import Conversation, Message, Preferences, Role, ShareLink
from conversations.models.share_links import digest_of
from conversations.views import shared
from tests.factories import ConversationFactory, MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
SECRET = "A" * 43


def linked(conversation: Conversation, secret: str = SECRET, **fields: Any) -> ShareLink:
    shown = sharing.now(conversation, with_tools=False, name="")
    assert shown
    link: ShareLink = ShareLink.objects.create(
        user=conversation.user,
        conversation=conversation,
        branch_id=shown.branch,
        last_place=shown.last,
        shown_until=shown.until,
        title=shown.title,
        digest=digest_of(secret),
        **fields,
    )
    return link


@pytest.fixture
def link(conversation: Conversation) -> ShareLink:
    MessageFactory.create(conversation=conversation, text="Brie?")
    return linked(conversation)


def test_its_headers(link: ShareLink) -> None:
    response = Client().get(f"/s/{SECRET}/")
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert not response.cookies
    page = response.content.decode()
    assert "<script" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_who_is_signed_in_makes_no_difference(link: ShareLink, client: Client) -> None:
    Preferences.objects.change(link.user, language="de", theme="dark")
    visitor = Client().get(f"/s/{SECRET}/")
    with CaptureQueriesContext(connection) as queries:
        owner = client.get(f"/s/{SECRET}/")
    assert owner.content == visitor.content
    assert not [query for query in queries if "django_session" in query["sql"]]


def failing(conversation: Conversation) -> dict[str, str]:
    now = timezone.now()
    linked(conversation, "expired", expires_at=now - timedelta(seconds=1))
    linked(conversation, "revoked", revoked_at=now)
    away = ConversationFactory.create(user__is_active=False)
    MessageFactory.create(conversation=away)
    linked(away, "away")
    return {
        "expired": "expired",
        "revoked": "revoked",
        "of a deactivated user": "away",
        "unknown": "B" * 43,
        "no secret at all": "%00é<script>",
        "past the end": f"{SECRET}/?from=2",
        "no number": f"{SECRET}/?from=x",
    }


def test_every_link_that_fails_gets_the_same_answer(
    link: ShareLink, conversation: Conversation
) -> None:
    answers = set()
    for secret in failing(conversation).values():
        path = f"/s/{secret}" if "?" in secret else f"/s/{secret}/"
        response = Client().get(path)
        headers = {k: v for k, v in response.items() if k != "X-Request-ID"}
        answers.add((response.status_code, response.content, str(sorted(headers.items()))))
    assert len(answers) == 1
    assert answers.pop()[0] == 404


def test_it_ends_with_its_conversation_and_outlives_filing(
    link: ShareLink, conversation: Conversation
) -> None:
    conversation.file(pinned=False, archived=True, tags=[])
    assert Client().get(f"/s/{SECRET}/").status_code == 200
    conversation.delete()
    assert Client().get(f"/s/{SECRET}/").status_code == 404


def test_opens_of_the_first_page_are_counted(link: ShareLink) -> None:
    for _ in range(3):
        Client().get(f"/s/{SECRET}/")
    Client().head(f"/s/{SECRET}/")
    link.refresh_from_db()
    assert link.opens == 3
    assert link.last_opened_at


def test_one_address_may_open_so_many(link: ShareLink, monkeypatch: Any) -> None:
    monkeypatch.setattr(shared, "MOST_OPENS", 2)
    statuses = [Client().get(f"/s/{SECRET}/").status_code for _ in range(4)]
    assert statuses.count(429) >= 1  # a minute may end in between
    busy = Client().get(f"/s/{SECRET}/")
    if busy.status_code == 429:
        assert busy["Retry-After"] == "60"
        assert busy["Referrer-Policy"] == "no-referrer"
    other = Client(REMOTE_ADDR="203.0.113.9").get(f"/s/{SECRET}/")
    assert other.status_code == 200


def grown(count: int) -> None:
    conversation = ConversationFactory.create()
    conversation.shown_branch.append(
        *(Message(role=Role.USER, text=f"word{place}.") for place in range(1, count + 1))
    )
    linked(conversation)


def test_a_long_conversation_is_paged(
    db: None, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    grown(203)
    seen, url = [], f"/s/{SECRET}/"
    while url:
        with django_assert_max_num_queries(6):
            page = Client().get(url)
        seen += re.findall(r"word(\d+)\.", page.content.decode())
        after = page.context["page"].next
        url = f"/s/{SECRET}/?from={after}" if after else ""
    assert list(map(int, seen)) == list(range(1, 204))
    with django_assert_num_queries(2):  # the site's rules, the link: the page is there already
        Client().get(f"/s/{SECRET}/?from=51")


def test_the_statements_are_as_many_whatever_its_length(db: None) -> None:
    counts = []
    for count in (100, 2_000):
        ShareLink.objects.all().delete()
        grown(count)
        with CaptureQueriesContext(connection) as queries:
            Client().get(f"/s/{SECRET}/?from=51")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


def test_texts_cannot_break_out(conversation: Conversation) -> None:
    MessageFactory.create(
        conversation=conversation, text="<script>alert(1)</script> ![x](http://x/y)"
    )
    linked(conversation)
    page = Client().get(f"/s/{SECRET}/").content.decode()
    assert "<script" not in page
    assert "<img" not in page


def test_nothing_is_kept_of_who_wants_no_caches(link: ShareLink) -> None:
    Preferences.objects.change(link.user, use_caches=False)
    Client().get(f"/s/{SECRET}/")
    with CaptureQueriesContext(connection) as queries:
        Client().get(f"/s/{SECRET}/?from=1")
    assert [query for query in queries if "conversations_message" in query["sql"]]
