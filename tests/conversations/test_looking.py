from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from conversations import looking
from conversations.models import Branch, Conversation, Message, Role
from tests.factories import ConversationFactory, MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory.create()
    return made


@pytest.mark.parametrize("words", ["brie", "BRIE", "Brie, 100%"])
def test_words_are_found_in_any_case(conversation: Conversation, words: str) -> None:
    MessageFactory.create(conversation=conversation, text="Brie, 100% milk")
    MessageFactory.create(conversation=conversation, text="Wine, 1000 bottles")
    MessageFactory.create(text="Brie, 100% of another's")

    (one,) = looking.find(conversation, words)

    assert one.before + one.match + one.after == "Brie, 100% milk"
    assert one.match.lower() == words.lower()


def test_a_long_message_is_cut_around_the_words(conversation: Conversation) -> None:
    MessageFactory.create(conversation=conversation, text=f"{'a ' * 200}Brie{' b' * 200}")

    (one,) = looking.find(conversation, "brie")

    assert one.match == "Brie"
    assert one.before == "…" + "a " * 40
    assert one.after == " b" * 40 + "…"


def test_every_place_of_a_message_is_found(conversation: Conversation) -> None:
    older = MessageFactory.create(conversation=conversation, text="briebrie 10% Brie")
    newer = MessageFactory.create(conversation=conversation, text=f"Brie{' b' * 200} BRIE.")
    found = looking.find(conversation, "brie")
    assert [one.message for one in found] == [newer] * 2 + [older] * 3
    assert [one.match for one in found] == ["Brie", "BRIE", "brie", "brie", "Brie"]
    assert [len(one.before) for one in found[2:]] == [0, 4, 13]
    assert found[1].before.startswith("…")
    assert found[1].after == "."
    MessageFactory.create(conversation=conversation, text="gouda " * 100)
    assert len(looking.find(conversation, "gouda")) == looking.MOST


def test_what_is_whole_has_no_marks_of_a_cut(conversation: Conversation) -> None:
    text = "x" * looking.AROUND + "Brie" + "y" * looking.AROUND
    MessageFactory.create(conversation=conversation, text=text)
    (one,) = looking.find(conversation, "brie")
    assert one.before + one.match + one.after == text


def test_places_are_found_page_by_page(
    conversation: Conversation, django_assert_num_queries: Any
) -> None:
    messages = MessageFactory.create_batch(looking.FOUND + 2, conversation=conversation)
    with django_assert_num_queries(1):
        newest = looking.find(conversation, "hello")
    older = looking.find(conversation, "hello", newest[-1].message.pk)
    assert [one.message for one in newest + older] == messages[::-1]


def test_the_first_message_of_a_day_is_on_the_branch_that_is_shown(
    conversation: Conversation,
) -> None:
    days = [datetime(2026, 5, day, 12, tzinfo=UTC) for day in (1, 2, 4)]
    first, second, fourth = (
        MessageFactory.create(conversation=conversation, created_at=day) for day in days
    )
    assert looking.on_day(conversation, date(2026, 5, 2)) == second
    assert looking.on_day(conversation, date(2026, 5, 3)) == fourth
    assert looking.on_day(conversation, date(2026, 5, 5)) is None
    assert looking.on_day(ConversationFactory.create(), date(2026, 5, 1)) is None

    shown = Message(role=Role.USER, created_at=datetime(2026, 5, 6, tzinfo=UTC))
    Branch.objects.forked(before=second).append(shown)
    assert looking.on_day(conversation, date(2026, 5, 1)) == first
    assert looking.on_day(conversation, date(2026, 5, 2)) == shown
