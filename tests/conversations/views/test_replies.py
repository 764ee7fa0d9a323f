from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from conversations.forms import OUTDATED
from conversations.models import Conversation, Message, Permission, Reply, Status, ToolRun
from tests.factories import MessageFactory, ReplyFactory, ToolRunFactory

HTMX = {"HX-Request": "true"}


def address(message: Message, verb: str) -> str:
    return f"/c/{message.conversation_id}/messages/{message.pk}/{verb}/"


@pytest.fixture
def reply(conversation: Conversation) -> Reply:
    return ReplyFactory.create(message__conversation=conversation)


def test_a_waiting_reply_is_stopped_at_once(client: Client, reply: Reply) -> None:
    response = client.post(address(reply.message, "stop"), headers=HTMX)
    assert 'data-status="stopped"' in response.content.decode()
    reply.refresh_from_db()
    assert reply.status == Status.STOPPED


def test_a_running_reply_is_asked_to_stop(client: Client, reply: Reply) -> None:
    Reply.objects.update(status=Status.RUNNING, attempt=1)
    response = client.post(address(reply.message, "stop"))
    assert response.status_code == 303
    assert response["Location"].endswith(f"#m{reply.message.pk}")
    reply.refresh_from_db()
    assert reply.stop_requested


@pytest.mark.parametrize("status", [Status.FAILED, Status.STOPPED])
def test_try_again(client: Client, reply: Reply, status: Status) -> None:
    Reply.objects.update(status=status)
    response = client.post(address(reply.message, "retry"), headers=HTMX)
    assert "Waiting for the assistant" in response.content.decode()
    reply.refresh_from_db()
    assert reply.status == Status.PENDING


def test_an_answer_with_words_gets_another_version(client: Client, reply: Reply) -> None:
    Reply.objects.update(status=Status.COMPLETE)
    Message.objects.update(text="Yes", html="<p>Yes</p>")
    text = client.post(address(reply.message, "retry"), headers=HTMX).content.decode()
    assert "Waiting for the assistant" in text
    assert f'data-place="{reply.message.place}"' in text
    assert "2 of 2" in text
    assert 'aria-label="Next version" disabled' in text
    reply.refresh_from_db()
    assert reply.status == Status.COMPLETE


def test_an_interrupted_answer_is_continued(client: Client, reply: Reply) -> None:
    Reply.objects.update(status=Status.STOPPED)
    Message.objects.update(text="Half", html="<p>Half</p>")
    page = client.get(reply.message.conversation.get_absolute_url()).content.decode()
    assert address(reply.message, "continue") in page
    response = client.post(address(reply.message, "continue"), headers=HTMX)
    assert 'data-status="pending"' in response.content.decode()
    reply.refresh_from_db()
    assert reply.continues


def test_a_waiting_answer_says_how_many_are_before_it(client: Client, reply: Reply) -> None:
    earlier = ReplyFactory.create(pending_since=timezone.now() - timedelta(minutes=1))
    page = reply.message.conversation.get_absolute_url()
    assert "Place 2 in the queue" in client.get(page).content.decode()
    Reply.objects.filter(pk=earlier.pk).update(status=Status.RUNNING)
    assert "Waiting for the assistant" in client.get(page).content.decode()


@pytest.fixture
def run(reply: Reply) -> ToolRun:
    Reply.objects.update(status=Status.ASKING, attempt=1, turns="{}")
    made: ToolRun = ToolRunFactory.create(
        reply=reply,
        name="rename_conversation",
        arguments='{"title":"<b>"}',
        permission=Permission.ASKED,
    )
    return made


def test_a_tool_that_acts_shows_its_call_and_asks(client: Client, run: ToolRun) -> None:
    message = run.reply.message
    page = client.get(message.conversation.get_absolute_url()).content.decode()
    assert "Allow the assistant to rename conversation?" in page
    assert "&quot;title&quot;: &quot;&lt;b&gt;&quot;" in page
    assert run.seal in page

    decision = {"seal": run.seal, "decision": "allow"}
    response = client.post(address(message, f"tools/{run.pk}"), decision, headers=HTMX)
    assert 'data-status="pending"' in response.content.decode()
    run.refresh_from_db()
    assert run.permission == Permission.GIVEN


@pytest.mark.parametrize(("headers", "status"), [({}, 200), (HTMX, 409)], ids=["page", "fragment"])
def test_another_call_is_not_allowed_by_that(
    client: Client, run: ToolRun, headers: dict[str, str], status: int
) -> None:
    decision = {"seal": "of another call", "decision": "allow"}
    where = address(run.reply.message, f"tools/{run.pk}")
    response = client.post(where, decision, headers=headers, follow=True)
    assert response.status_code == status
    assert str(OUTDATED) in response.content.decode()
    run.refresh_from_db()
    assert run.permission == Permission.ASKED


def test_what_is_not_clearly_allowed_is_refused(client: Client, run: ToolRun) -> None:
    client.post(address(run.reply.message, f"tools/{run.pk}"), {"seal": run.seal})
    run.refresh_from_db()
    assert run.permission == Permission.REFUSED


def test_an_answer_from_the_cache_says_so(client: Client, reply: Reply) -> None:
    Reply.objects.update(status=Status.COMPLETE, cached_at=timezone.now())
    text = client.get(reply.message.conversation.get_absolute_url()).content.decode()
    assert "Answered before: <time" in text
    assert "Ask anew" in text


def test_a_complete_answer_is_left_alone(client: Client, reply: Reply) -> None:
    Reply.objects.update(status=Status.COMPLETE)
    for verb in ("stop", "continue"):
        client.post(address(reply.message, verb))
    reply.refresh_from_db()
    assert reply.status == Status.COMPLETE


def test_of_others_there_is_nothing(charlie: Client, reply: Reply) -> None:
    for verb in ("stop", "retry", "continue"):
        assert charlie.post(address(reply.message, verb)).status_code == 404
    reply.refresh_from_db()
    assert reply.status == Status.PENDING


def test_a_message_without_a_reply_has_no_buttons(
    client: Client, conversation: Conversation
) -> None:
    message = MessageFactory.create(conversation=conversation)
    assert client.post(address(message, "stop")).status_code == 404
    assert client.get(address(message, "stop")).status_code == 405


def test_events_are_not_served_by_pages(client: Client, conversation: Conversation) -> None:
    response = client.get(f"/c/{conversation.pk}/events/")
    assert response.status_code == 501
    assert b"chatsite.asgi" in response.content
