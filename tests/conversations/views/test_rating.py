from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from conversations.models import Conversation, Message, Rating, Reply, Status
from conversations.views.rating import NOT_FINISHED
from tests.factories import MessageFactory, RatingFactory, ReplyFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture
def answer(conversation: Conversation) -> Message:
    MessageFactory.create(conversation=conversation, text="Which cheese?")
    reply = ReplyFactory.create(
        message__conversation=conversation,
        message__text="Brie.",
        message__html="<p>Brie.</p>",
        status=Status.COMPLETE,
        attempt=1,
        model="m",
        prompt=3,
    )
    message: Message = reply.message
    return message


def address(message: Message) -> str:
    return f"/c/{message.conversation_id}/messages/{message.pk}/rating/"


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_thumb_is_set_changed_and_taken_back(
    client: Client, answer: Message, headers: dict[str, str]
) -> None:
    for thumb, pressed in (("up", 'value="none"'), ("down", 'value="up"')):
        response = client.post(address(answer), {"thumb": thumb}, headers=headers)
        assert Rating.objects.get().verdict == thumb
        if headers:
            assert pressed in response.content.decode()
            assert 'aria-pressed="true"' in response.content.decode()
        else:
            assert response.status_code == 303
            assert response["Location"] == answer.get_absolute_url()
    client.post(address(answer), {"thumb": "none"}, headers=headers)
    assert not Rating.objects.exists()


def test_a_page_shows_it_without_another_query(
    client: Client, answer: Message, django_assert_num_queries: Any
) -> None:
    page = answer.conversation.get_absolute_url()
    RatingFactory.create(message=answer)
    with django_assert_num_queries(5):  # user, conversation, messages, tool runs, list
        assert client.get(page).content.decode().count('aria-pressed="true"') == 1


def test_it_says_what_made_the_answer_and_nothing_of_its_text(
    client: Client, answer: Message
) -> None:
    client.post(address(answer), {"thumb": "up"})
    rating = Rating.objects.get()
    assert (rating.attempt, rating.backend, rating.model, rating.prompt) == (1, "default", "m", 3)
    assert (rating.texts_sent, rating.question, rating.answer) == (False, "", "")


def test_question_and_answer_are_sent_by_choice_alone(client: Client, answer: Message) -> None:
    form = {"verdict": "down", "reason": "wrong", "comment": "It was\r\nGouda."}
    client.post(address(answer), form | {"send_texts": "on"})
    rating = Rating.objects.get()
    assert (rating.reason, rating.comment) == ("wrong", "It was\nGouda.")
    assert (rating.question, rating.answer) == ("Which cheese?", "Brie.")

    client.post(address(answer), form)
    rating.refresh_from_db()
    assert (rating.texts_sent, rating.question, rating.answer) == (False, "", "")


def test_the_form_begins_with_the_choice_not_made(client: Client, answer: Message) -> None:
    page = client.get(address(answer)).content.decode()
    assert 'name="send_texts"' in page
    form = page[page.index('class="edit stack"') :].partition("</form>")[0]
    assert "checked" not in form
    assert "<html" not in client.get(address(answer), headers=HTMX).content.decode()


def test_a_reason_of_the_other_thumb_falls_away(client: Client, answer: Message) -> None:
    client.post(address(answer), {"verdict": "down", "reason": "wrong", "comment": "No."})
    client.post(address(answer), {"thumb": "up"})
    rating = Rating.objects.get()
    assert (rating.verdict, rating.reason, rating.comment) == ("up", "", "No.")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"verdict": "sideways"},
        {"verdict": "up", "reason": "wrong"},
        {"verdict": "up", "reason": "x"},
        {"verdict": "up", "comment": "x" * 2001},
        {"verdict": "up", "comment": "a\0b"},
    ],
)
def test_bad_input_is_refused_with_the_form(
    client: Client, answer: Message, form: dict[str, str]
) -> None:
    response = client.post(address(answer), form, headers=HTMX)
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert not Rating.objects.exists()


def test_words_about_what_is_not_finished_are_kept(client: Client, answer: Message) -> None:
    Reply.objects.update(status=Status.RUNNING)
    form = {"verdict": "up", "comment": "Typed with care."}
    response = client.post(address(answer), form)
    assert response.status_code == 409
    text = response.content.decode()
    assert "Typed with care." in text
    assert str(NOT_FINISHED) in text
    assert client.post(address(answer), form, headers=HTMX).status_code == 409


def test_what_is_not_finished_is_not_rated(client: Client, answer: Message) -> None:
    Reply.objects.update(status=Status.RUNNING)
    response = client.post(address(answer), {"thumb": "up"}, headers=HTMX)
    assert (response.status_code, response.content.decode()) == (409, NOT_FINISHED)
    assert client.post(address(answer), {"thumb": "up"}).status_code == 303
    assert not Rating.objects.exists()
    german = {**HTMX, "Accept-Language": "de"}
    response = client.post(address(answer), {"thumb": "up"}, headers=german)
    assert response.content.decode().startswith("Diese Antwort ist noch nicht fertig")


def test_another_attempt_is_another_answer(client: Client, answer: Message) -> None:
    client.post(address(answer), {"thumb": "up"})
    Reply.objects.filter(message=answer).update(attempt=2)
    part = client.get(f"/c/{answer.conversation_id}/messages/{answer.pk}/").content.decode()
    assert 'aria-pressed="true"' not in part
    client.post(address(answer), {"thumb": "down"})
    assert list(Rating.objects.order_by("pk").values_list("attempt", "verdict")) == [
        (1, "up"),
        (2, "down"),
    ]


def test_of_others_there_is_nothing_to_rate(charlie: Client, answer: Message) -> None:
    assert charlie.get(address(answer)).status_code == 404
    assert charlie.post(address(answer), {"thumb": "up"}).status_code == 404
    assert not Rating.objects.exists()
