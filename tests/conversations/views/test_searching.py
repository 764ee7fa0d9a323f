from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from conversations import answering, searching
from conversations.models import Conversation, Message, Role, SearchEntry
from tests.factories import MessageFactory, ReplyFactory


def said(conversation: Conversation, text: str, **fields: Any) -> Message:
    message: Message = MessageFactory.create(conversation=conversation, text=text, **fields)
    return message


def found(client: Client, **asked: Any) -> list[str]:
    response = client.get("/search/", asked)
    assert response.status_code == 200
    return ["".join(text for text, _ in hit.parts) for hit in response.context["results"].hits]


@pytest.fixture
def cheeses(conversation: Conversation) -> Conversation:
    said(
        conversation,
        "Which cheeses come from Normandy?",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    said(
        conversation,
        "Camembert is a cheese of Normandy, and a cheese to eat soft.",
        role=Role.ASSISTANT,
        created_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    said(conversation, "Thanks. Now something about trains.")
    return conversation


def test_words_are_found_marked_and_linked(client: Client, cheeses: Conversation) -> None:
    page = client.get("/search/", {"words": "Camembert"}).content.decode()
    answer = cheeses.messages.get(role=Role.ASSISTANT)
    assert "<mark>Camembert</mark> is a cheese" in page
    assert f'href="/c/{cheeses.pk}/?at={answer.pk}#m{answer.pk}"' in page
    assert "1 message<" in page


def test_the_better_match_comes_first_and_words_may_be_inflected(
    client: Client, cheeses: Conversation
) -> None:
    first, second = found(client, words="cheese")
    assert first.startswith("Camembert")
    assert second.startswith("Which cheeses")


def test_operators(client: Client, cheeses: Conversation) -> None:
    assert len(found(client, words="camembert or trains")) == 2
    assert len(found(client, words="cheese -camembert")) == 1
    assert len(found(client, words='"come from normandy"')) == 1


@pytest.mark.parametrize("words", ["camenbert", "Camembrt", "normendy camembert"])
def test_misspelt_words_find_what_is_like_them(
    client: Client, cheeses: Conversation, words: str
) -> None:
    page = client.get("/search/", {"words": words})
    assert page.context["results"].alike
    assert "These have words like it" in page.content.decode()
    assert "<mark>Camembert</mark>" in page.content.decode()


def test_filters(client: Client, cheeses: Conversation) -> None:
    assert [text[:5] for text in found(client, words="cheese", role="user")] == ["Which"]
    assert [text[:5] for text in found(client, words="cheese", since="2026-03-02")] == ["Camem"]
    assert [text[:5] for text in found(client, words="cheese", until="2026-03-01")] == ["Which"]
    both = {"since": "2026-03-01", "until": "2026-03-02"}
    assert len(found(client, words="cheese", **both)) == 2


def test_a_version_that_is_not_shown_says_so(client: Client, conversation: Conversation) -> None:
    reply = ReplyFactory.create(
        message__conversation=conversation, message__text="Old cheese", status="complete"
    )
    answering.again(reply)
    page = client.get("/search/", {"words": "cheese"}).content.decode()
    assert "another version" in page
    said(conversation, "New cheese")
    assert client.get("/search/", {"words": "new"}).content.decode().count("another version") == 0


def test_the_words_may_be_called_q(client: Client, cheeses: Conversation) -> None:
    assert found(client, q="cheese", role="user") == found(client, words="cheese", role="user")
    assert found(client, q="trains", words="cheese") == found(client, words="cheese")
    page = client.get("/search/", {"q": "Camembert"}).content.decode()
    assert 'value="Camembert"' in page


def test_nobody_elses_words_are_found_or_guessed(charlie: Client, cheeses: Conversation) -> None:
    for words in ("camembert", "camenbert"):
        assert found(charlie, words=words) == []


def test_nothing_found_offers_to_drop_the_filters(client: Client, cheeses: Conversation) -> None:
    page = client.get("/search/", {"words": "cheese", "since": "2099-01-01"}).content.decode()
    assert "Nothing found" in page
    assert 'href="?words=cheese"' in page


def test_stop_words_alone_are_explained(client: Client, cheeses: Conversation) -> None:
    assert "in nearly every text" in client.get("/search/", {"words": "the"}).content.decode()


def test_without_words_it_says_how_to_ask(client: Client) -> None:
    assert "in quotes" in client.get("/search/").content.decode()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"words": "x" * 201}, "201 characters; 200"),
        ({"words": "a\0b"}, "NUL"),
        ({"words": "a", "role": "tool"}, "tool wrote nothing"),
        ({"words": "a", "since": "yesterday"}, "year-month-day"),
        ({"words": "a", "since": "2026-02-02", "until": "2026-01-01"}, "before the first one"),
        ({"words": "a", "page": "11"}, "1 to 10"),
        ({"words": "a", "page": "x"}, "1 to 10"),
    ],
)
def test_bad_input_is_named(client: Client, asked: dict[str, str], words: str) -> None:
    response = client.get("/search/", asked)
    assert response.status_code == 422
    assert words in response.content.decode()


@pytest.mark.parametrize(
    "words", ["'", "\\", "a'b\\c", "!&|():*<->", '"', "-", "\x02\x03", "%s %d", "0001-01-01", "😀"]
)
def test_any_words_are_only_words(client: Client, cheeses: Conversation, words: str) -> None:
    assert client.get("/search/", {"words": words, "since": "0001-01-01", "until": "9999-12-31"})


def test_marks_in_a_text_are_harmless(client: Client, conversation: Conversation) -> None:
    said(conversation, "\x02a & b\x03 of cheese < milk")
    page = client.get("/search/", {"words": "cheese"}).content.decode()
    assert "<mark>cheese</mark> &lt; milk" in page
    assert page.count("<mark>") == page.count("</mark>")


def test_a_match_deep_in_a_long_text_is_shown(client: Client, conversation: Conversation) -> None:
    said(conversation, "nothing here " * 2000 + "but gorgonzola")
    (text,) = found(client, words="Gorgonzola")
    assert "but gorgonzola" in text
    assert len(text) < 500


@pytest.mark.parametrize(("words", "queries"), [("cheese", 3), ("chese", 5), ("zzz", 3)])
def test_queries_do_not_grow_with_hits(
    client: Client,
    conversation: Conversation,
    words: str,
    queries: int,
    django_assert_num_queries: Any,
) -> None:
    for number in range(30):
        said(conversation, f"cheese {number}")
    with django_assert_num_queries(queries):  # user, matches, [choices, matches], rows
        client.get("/search/", {"words": words})


def test_pages_end_at_the_newest_matches(
    client: Client, conversation: Conversation, monkeypatch: Any
) -> None:
    monkeypatch.setattr(searching, "MOST", 30)
    messages = [Message(role=Role.USER, text=f"cheese {number}") for number in range(40)]
    conversation.shown_branch.append(*messages)
    first = client.get("/search/", {"words": "cheese"})
    second = client.get("/search/", {"words": "cheese", "page": 2})
    assert [len(page.context["results"].hits) for page in (first, second)] == [20, 10]
    assert "The best of the newest" in first.content.decode()
    assert second.context["next"] == 0
    assert client.get("/search/", {"words": "cheese", "page": 3}).context["results"].hits == []


def test_entries_follow_their_messages(conversation: Conversation) -> None:
    message = said(conversation, "")
    assert not SearchEntry.objects.exists()
    for text, document in (("Cheese", "'chees':1"), ("", "")):
        Message.objects.filter(pk=message.pk).update(text=text)
        entry = SearchEntry.objects.get(message=message)
        assert (entry.document, entry.user_id) == (document, conversation.user_id)
    conversation.delete()
    assert not SearchEntry.objects.exists()
