"""The user sees who may read and who has read, and gives and takes back consent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from conversations import support
from conversations.models import Conversation, SupportAccess
from tests.factories import ConversationFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
PAGE = "/settings/privacy/"


def test_nothing_yet(client: Client) -> None:
    assert "Nobody but you" in client.get(PAGE).content.decode()


@pytest.mark.parametrize("all_of_them", [True, False])
def test_consent_is_given_and_taken_back(
    client: Client, charlie: Client, conversation: Conversation, all_of_them: bool
) -> None:
    chosen = "" if all_of_them else str(conversation.pk)
    response = client.post(PAGE, {"conversation": chosen, "hours": "24"})
    assert response.status_code == 303
    access = SupportAccess.objects.get()
    assert (access.conversation is None) is all_of_them
    page = client.get(PAGE).content.decode()
    assert "Take it back" in page
    assert "Consent given" in page
    assert charlie.post(f"{PAGE}{access.pk}/take-back/").status_code == 404
    assert client.post(f"{PAGE}{access.pk}/take-back/").status_code == 303
    assert not SupportAccess.objects.open_now().exists()
    assert "Consent taken back" in client.get(PAGE).content.decode()


def test_a_temporary_conversation_is_in_no_list_here_either(
    client: Client, conversation: Conversation
) -> None:
    assert str(conversation.pk) in client.get(PAGE).content.decode()
    Conversation.objects.update(temporary=True)
    assert str(conversation.pk) not in client.get(PAGE).content.decode()


@pytest.mark.parametrize("all_of_them", [True, False])
def test_what_was_sent_twice_is_taken_back_once(
    client: Client, conversation: Conversation, all_of_them: bool
) -> None:
    form = {"conversation": "" if all_of_them else str(conversation.pk)}
    client.post(PAGE, form | {"hours": "168"})
    client.post(PAGE, form | {"hours": "1"})
    access = SupportAccess.objects.get()
    assert access.expires_at - access.opened_at < timedelta(hours=2)
    client.post(f"{PAGE}{access.pk}/take-back/")
    assert not SupportAccess.objects.open_now().exists()


def test_bad_choices_are_refused(client: Client) -> None:
    foreign = ConversationFactory.create()
    for form in ({"conversation": str(foreign.pk), "hours": "1"}, {"hours": "999"}, {}):
        assert client.post(PAGE, form).status_code == 422
    assert not SupportAccess.objects.exists()


def test_what_staff_opened_is_told_and_cannot_be_ended_here(
    client: Client, conversation: Conversation
) -> None:
    staff: Any = UserFactory.create(username="carol", is_staff=True)
    access = support.break_glass(staff, conversation, "A court asks for it, case 7.")
    support.note_reading(access, conversation, staff)
    page = client.get(PAGE).content.decode()
    assert "without your consent" in page
    assert "A court asks for it, case 7." in page
    assert page.count("carol") == 2
    assert client.post(f"{PAGE}{access.pk}/take-back/").status_code == 404
    conversation.delete()
    assert "A conversation that is deleted" in client.get(PAGE).content.decode()


def test_its_statements(
    client: Client, conversation: Conversation, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        access = support.consent(conversation.user, conversation, 1)
        support.note_reading(access, conversation, UserFactory.create())
    with django_assert_max_num_queries(8):
        client.get(PAGE)
