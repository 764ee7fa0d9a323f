"""What a user or a conversation chose reaches the model, and the cache of answers knows it."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User

from conversations import answering, replies, sending
from conversations.models import Conversation, Message, Preferences, Reply, Status, ToolRun
from tests.factories import UserFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("queue_redis", "cache_redis"),
]
KEPT = ("ai", "tools", "conversations")  # the prefixes of what could hold words of a user


@pytest.fixture(autouse=True)
def models(settings: Any) -> None:
    settings.CHAT_BACKENDS = {
        "default": {
            "BACKEND": "tests.backends.ScriptedBackend",
            "OPTIONS": {"models": ["big", "small"]},
        }
    }
    settings.SYSTEM_PROMPT = "Be kind."


@pytest.fixture
def alice() -> User:
    made: User = UserFactory()
    return made


def ask(user: User, text: str = "told", **chosen: Any) -> Reply:
    conversation = sending.start(user, text, _key(), **chosen)
    return answered(conversation.messages.get(place=2))


def _key() -> Any:
    import uuid

    return uuid.uuid4()


def answered(message: Message) -> Reply:
    async_to_sync(replies.write)(message.reply.pk, message.reply.attempt + 1)
    return Reply.objects.select_related("message__conversation").get(message=message)


def test_instructions_reach_the_model(alice: User) -> None:
    Preferences.objects.change(alice, system_prompt="Answer in rhyme.")
    reply = ask(alice, system_prompt="Use metres.")
    assert "Be kind." in reply.message.text
    assert "Answer in rhyme." in reply.message.text
    assert "Use metres." in reply.message.text


def test_nobody_elses_instructions_do(alice: User) -> None:
    Preferences.objects.change(alice, system_prompt="Answer in rhyme.")
    assert "rhyme" not in ask(UserFactory()).message.text


@pytest.mark.parametrize("whose", ["user", "conversation"])
def test_the_same_question_under_other_instructions_is_another(alice: User, whose: str) -> None:
    ask(alice)
    assert ask(alice).cached_at
    if whose == "user":
        Preferences.objects.change(alice, system_prompt="Answer in rhyme.")
        again = ask(alice)
    else:
        again = ask(alice, system_prompt="Answer in rhyme.")
    assert again.cached_at is None
    assert "Answer in rhyme." in again.message.text


def test_the_chosen_model_answers_and_is_named(alice: User) -> None:
    reply = ask(alice, chat_model="default/small")
    assert reply.message.text.startswith("small\n")
    assert (reply.backend, reply.model, reply.instead_of) == ("default", "small", "")


def test_another_models_answer_is_not_reused(alice: User) -> None:
    assert ask(alice).model == "big"
    assert ask(alice, chat_model="default/small").cached_at is None
    assert ask(alice, chat_model="default/big").cached_at


def test_a_model_that_is_gone_is_replaced_and_named(alice: User) -> None:
    reply = ask(alice, chat_model="default/gone")
    assert reply.status == Status.COMPLETE
    assert (reply.model, reply.instead_of) == ("big", "gone")


def test_a_backend_that_is_gone_is_replaced_and_named(alice: User) -> None:
    reply = ask(alice, chat_model="moved/gone")
    assert (reply.backend, reply.model, reply.instead_of) == ("default", "big", "gone")


def test_asked_again_of_another_model(alice: User) -> None:
    first = ask(alice)
    second = answered(answering.again(first, "default/small"))
    assert second.message_id != first.message_id
    assert (first.model, second.model) == ("big", "small")
    third = answered(answering.again(second))
    assert third.model == "big"  # the conversation's own


def test_an_answer_without_a_word_is_made_anew_by_another_model(alice: User) -> None:
    failed = ask(alice, "fail timeout")
    assert (failed.status, failed.model) == (Status.FAILED, "big")
    assert answering.again(failed, "default/small") == failed.message
    assert answered(failed.message).model == "small"


def test_who_wants_no_cache_gets_nothing_from_it_and_leaves_nothing(
    alice: User, cache_redis: redis.Redis
) -> None:
    ask(alice, "say Kept.")
    Preferences.objects.change(alice, use_caches=False)
    before = kept(cache_redis, ("ai", "tools"))
    assert ask(alice, "say Kept.").cached_at is None
    ask(alice, 'tool calculator {"expression": "6*7"}')
    ask(alice, 'tool calculator {"expression": "6*7"}')
    assert not ToolRun.objects.exclude(cached_at=None).exists()
    assert kept(cache_redis, ("ai", "tools")) == before


def kept(server: redis.Redis, prefixes: tuple[str, ...] = KEPT) -> set[bytes]:
    """The keys that hold values: what counts the changes of a namespace holds none."""
    names = {key for prefix in prefixes for key in server.scan_iter(f"{prefix}:*")}
    return {name for name in names if b":generation:" not in name}


def test_a_temporary_conversation_is_in_no_cache(alice: User, cache_redis: redis.Redis) -> None:
    ask(alice, "say Kept.")
    before = kept(cache_redis)
    assert {name.partition(b":")[0] for name in before} == {b"ai"}
    assert ask(alice, "say Kept.", temporary=True).cached_at is None
    ask(alice, 'tool calculator {"expression": "6*7"}', temporary=True)
    assert kept(cache_redis) == before
    assert Conversation.objects.filter(temporary=True).count() == 2


def test_the_assistants_clock_is_the_users(alice: User) -> None:
    Preferences.objects.change(alice, time_zone="Asia/Tokyo")
    ask(alice, 'tool date_and_time {"operation": "now"}')
    assert "Asia/Tokyo" in ToolRun.objects.get().result
    Preferences.objects.change(alice, time_zone="Mars/Olympus")
    ask(alice, 'tool date_and_time {"operation": "now"}\nsay !')
    assert "UTC" in ToolRun.objects.latest("pk").result
