"""Links are made of what was previewed, shown once, listed and revoked by their owner."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from conversations import sharing
from conversations.models import Conversation, Role, ShareLink, SharingPolicy, Status
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory, ToolRunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]


@pytest.fixture
def asked(conversation: Conversation) -> Conversation:
    """A question, and an answer for which a tool ran."""
    MessageFactory.create(conversation=conversation, text="Which brie?")
    reply = ReplyFactory.create(
        message__conversation=conversation,
        message__text="The ripe one.",
        message__html="<p>The ripe one.</p>",
        status=Status.COMPLETE,
        attempt=1,
        author="Guide",
    )
    ToolRunFactory.create(reply=reply, arguments='{"cheese": "brie"}')
    return conversation


def previewed(client: Client, conversation: Conversation, **choices: str) -> dict[str, str]:
    """The fields of the form below the preview."""
    page = client.get(f"/c/{conversation.pk}/share/", choices).content.decode()
    return {
        "snapshot": found(r'name="snapshot" value="([^"]+)"', page),
        "key": found(r'name="key" value="([^"]+)"', page),
        "days": "7",
    }


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match, page
    return match[1]


def made(client: Client, conversation: Conversation, **choices: str) -> str:
    """The path of a new link."""
    form = previewed(client, conversation, **choices)
    response = client.post(f"/c/{conversation.pk}/share/", form)
    assert response.status_code == 201
    return found(r'value="http://[^/]+(/s/[\w-]{43}/)"', response.content.decode())


def test_the_preview_shows_what_the_link_shows(client: Client, asked: Conversation) -> None:
    preview = client.get(f"/c/{asked.pk}/share/")
    shown = Client().get(made(client, asked))
    assert shown.status_code == 200
    assert preview.context["page"].html == shown.context["page"].html
    assert "The ripe one." in shown.content.decode()


@pytest.mark.parametrize(
    ("choices", "tools", "name"),
    [({}, False, False), ({"with_tools": "on"}, True, False), ({"with_name": "on"}, False, True)],
)
def test_tools_and_the_name_are_shown_by_choice(
    client: Client, asked: Conversation, choices: dict[str, str], tools: bool, name: bool
) -> None:
    page = Client().get(made(client, asked, **choices)).content.decode()
    assert ("&quot;cheese&quot;" in page) is tools
    assert ("alice" in page) is name
    assert "@example.org" not in page


@pytest.mark.parametrize("days", ["1", "0"])
def test_a_form_that_comes_back_for_another_link_says_so(
    client: Client, asked: Conversation, days: str
) -> None:
    form = previewed(client, asked)
    where = f"/c/{asked.pk}/share/"
    assert client.post(where, form).status_code == 201
    assert client.post(where, form).status_code == 303  # sent twice
    response = client.post(where, form | {"days": days})
    assert response.status_code == 422
    assert "Look at it again" in response.content.decode()
    assert ShareLink.objects.count() == 1
    assert client.post(where, previewed(client, asked) | {"days": days}).status_code == 201


def test_the_owners_new_name_is_shown_at_once(
    client: Client, asked: Conversation, alice: Any
) -> None:
    path = made(client, asked, with_name="on")
    assert "Shared by alice" in Client().get(path).content.decode()
    alice.username = "alicia"
    alice.save()
    page = Client().get(path).content.decode()
    assert "Shared by alicia" in page
    assert "alice" not in page


def test_a_later_name_of_the_conversation_stays_private(
    client: Client, asked: Conversation
) -> None:
    asked.rename("Cheese \U0001f9c0" + "\U0001f9c0" * 100)
    form = previewed(client, asked)
    asked.rename("For my lawyer")
    response = client.post(f"/c/{asked.pk}/share/", form)
    path = found(r'value="http://[^/]+(/s/[\w-]{43}/)"', response.content.decode())
    page = Client().get(path).content.decode()
    assert "Cheese" in page
    assert "lawyer" not in page
    asked.rename("For my lawyer again")
    assert "lawyer" not in Client().get(path).content.decode()


def test_later_messages_and_other_versions_stay_private(
    client: Client, asked: Conversation
) -> None:
    path = made(client, asked)
    MessageFactory.create(conversation=asked, text="A secret")
    other = asked.branches.create(parent=asked.shown_branch, fork=1)
    MessageFactory.create(conversation=asked, branch=other, place=2, text="Another secret")
    page = Client().get(path).content.decode()
    assert "The ripe one." in page
    assert "secret" not in page


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_unfinished_or_changed_later_is_not_shown(
    client: Client, conversation: Conversation
) -> None:
    reply = ReplyFactory.create(
        message__conversation=conversation, message__text="half", status=Status.STOPPED
    )
    path = made(client, conversation)
    assert "half" in Client().get(path).content.decode()
    reply.status, reply.finished_at = Status.COMPLETE, timezone.now()
    reply.save()
    reply.message.text, reply.message.html = "half and more", "<p>half and more</p>"
    reply.message.save()
    page = Client().get(path).content.decode()
    assert "half" not in page
    assert "has changed since" in page


def test_what_was_shown_is_bound_to_the_preview(client: Client, asked: Conversation) -> None:
    form = previewed(client, asked)
    MessageFactory.create(conversation=asked, text="Said meanwhile")
    url = f"/c/{asked.pk}/share/"
    response = client.post(url, form | {"with_tools": "on", "with_name": "on"})
    path = found(r"(/s/[\w-]{43}/)", response.content.decode())
    page = Client().get(path).content.decode()
    assert "Said meanwhile" not in page
    assert "&quot;cheese&quot;" not in page


def test_another_conversations_preview_and_a_forged_one_are_refused(
    client: Client, asked: Conversation, alice: Any
) -> None:
    other = ConversationFactory.create(user=alice)
    MessageFactory.create(conversation=other)
    for form in (previewed(client, other), previewed(client, asked) | {"snapshot": "x:y:z"}):
        response = client.post(f"/c/{asked.pk}/share/", form)
        assert response.status_code == 422
        assert "too old" in response.content.decode()
    assert not ShareLink.objects.exists()


def test_sent_twice_it_makes_one_link(client: Client, asked: Conversation) -> None:
    form = previewed(client, asked)
    assert client.post(f"/c/{asked.pk}/share/", form).status_code == 201
    assert client.post(f"/c/{asked.pk}/share/", form).status_code == 303
    assert ShareLink.objects.count() == 1


@pytest.mark.parametrize("broken", [{"days": "365"}, {"days": ""}, {"key": "x"}, {"snapshot": ""}])
def test_broken_forms_are_refused(
    client: Client, asked: Conversation, broken: dict[str, str]
) -> None:
    response = client.post(f"/c/{asked.pk}/share/", previewed(client, asked) | broken)
    assert response.status_code == 422
    assert not ShareLink.objects.exists()


def test_an_empty_conversation_has_nothing_to_share(
    client: Client, conversation: Conversation
) -> None:
    response = client.get(f"/c/{conversation.pk}/share/")
    assert "nothing to share" in response.content.decode()


def test_there_is_a_most(client: Client, asked: Conversation, monkeypatch: Any) -> None:
    monkeypatch.setattr(sharing, "MOST_LINKS", 1)
    made(client, asked)
    response = client.post(f"/c/{asked.pk}/share/", previewed(client, asked))
    assert response.status_code == 422
    assert "1 links" in response.content.decode()


def test_only_a_fingerprint_is_stored(client: Client, asked: Conversation) -> None:
    secret = made(client, asked).split("/")[2]
    row = ShareLink.objects.values().get()
    assert secret not in str(row)
    assert len(row["digest"]) == 64


def test_the_list_and_the_end(client: Client, charlie: Client, asked: Conversation) -> None:
    path = made(client, asked)
    Client().get(path)
    page = client.get("/settings/shares/").content.decode()
    assert "Cheese" in page
    assert "opened 1 time" in page
    link = ShareLink.objects.get()
    assert charlie.post(f"/settings/shares/{link.pk}/revoke/").status_code == 404
    assert "Cheese" not in charlie.get("/settings/shares/").content.decode()
    assert client.post(f"/settings/shares/{link.pk}/revoke/").status_code == 303
    assert Client().get(path).status_code == 404
    assert "revoked" in client.get("/settings/shares/").content.decode()


def test_the_list_is_paged(
    client: Client, asked: Conversation, django_assert_max_num_queries: Any
) -> None:
    made(client, asked)
    first = ShareLink.objects.values().get()
    del first["id"]
    for number in range(65):
        again = first | {"digest": f"{number:064}", "idempotency_key": uuid.uuid4()}
        ShareLink.objects.create(**again)
    seen, url = 0, "/settings/shares/"
    while url:
        with django_assert_max_num_queries(6):
            response = client.get(url)
        seen += len(response.context["rows"])
        url = (
            f"/settings/shares/?before={response.context['next']}"
            if response.context["next"]
            else ""
        )
    assert seen == 66


def test_the_site_may_turn_it_off(client: Client, asked: Conversation, settings: Any) -> None:
    path, form = made(client, asked), previewed(client, asked)
    SharingPolicy.objects.create(pk=1, enabled=False)
    assert "turned off" in client.get(f"/c/{asked.pk}/share/").content.decode()
    assert client.post(f"/c/{asked.pk}/share/", form).status_code == 403
    assert Client().get(path).status_code == 404
    assert "turned off" in client.get("/settings/shares/").content.decode()
    SharingPolicy.objects.update(enabled=True)
    assert Client().get(path).status_code == 200
    settings.SHARING = False
    assert Client().get(path).status_code == 404


def test_the_sites_longest_life_holds_for_earlier_links(
    client: Client, asked: Conversation
) -> None:
    form = previewed(client, asked) | {"days": "0"}
    client.post(f"/c/{asked.pk}/share/", form)
    link = ShareLink.objects.get()
    assert link.expires_at is None
    ShareLink.objects.update(created_at=timezone.now() - timedelta(days=20))
    assert ShareLink.objects.working(None).exists()
    assert not ShareLink.objects.working(14).exists()
    SharingPolicy.objects.create(pk=1, most_days=14)
    page = client.get(f"/c/{asked.pk}/share/").content.decode()
    assert "14 days" in page
    assert 'value="30"' not in page
    assert 'value="0"' not in page
    assert "expired" in client.get("/settings/shares/").content.decode()


def test_a_user_message_alone_can_be_shared(client: Client, conversation: Conversation) -> None:
    MessageFactory.create(conversation=conversation, role=Role.USER, text="Only this")
    assert "Only this" in Client().get(made(client, conversation)).content.decode()
