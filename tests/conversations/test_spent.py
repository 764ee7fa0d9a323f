from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from conversations import answering, attempts, replies
from conversations.ai.base import ChatRequest, Turn
from conversations.ai.prices import price
from conversations.models import ConversationUsage, DailyUsage, Entry, Reply, Status
from conversations.spent import MOST_TOKENS, Spent
from tests.backends import ScriptedBackend
from tests.conversations.test_replies import ask, scripted, write
from tests.factories import ConversationFactory, UserFactory

__all__ = ["scripted"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("scripted", "queue_redis", "cache_redis"),
]


class Priced(ScriptedBackend):
    """A model that costs 2 of a million tokens read, 3 written, and counts them."""

    is_language_model = True
    model = "priced"


@pytest.fixture
def priced(settings: Any, scripted: None) -> None:
    entry = {"BACKEND": f"{__name__}.Priced", "OPTIONS": {"prices": ["2", "3", "1"]}}
    settings.CHAT_BACKENDS = {"default": entry}


def sums(reply: Reply) -> ConversationUsage:
    return ConversationUsage.objects.get(conversation=reply.message.conversation)


@pytest.mark.usefixtures("priced")
def test_an_answer_keeps_its_tokens_its_price_and_its_cost() -> None:
    reply = write(ask("say Hello"))

    assert (reply.input_tokens, reply.output_tokens, reply.tokens_estimated) == (1, 7, False)
    assert (reply.input_price, reply.output_price, reply.cached_price) == (2, 3, 1)
    assert (reply.cost, reply.currency) == (Decimal("0.000023"), "USD")
    usage = sums(reply)
    assert (usage.messages, usage.tokens, usage.cost) == (1, 8, Decimal("0.000023"))
    day = DailyUsage.objects.get(user=reply.message.conversation.user)
    assert (day.backend, day.model, day.tokens, day.hour_tokens) == ("default", "priced", 8, 8)


@pytest.mark.usefixtures("priced")
def test_a_new_price_leaves_the_old_answers_as_they_were(settings: Any) -> None:
    old = write(ask("say Hello"))
    settings.CHAT_PRICES = {"priced": ["20", "30"]}
    new = write(ask("say Bonjour"))

    old.refresh_from_db()
    assert (old.cost, new.cost) == (Decimal("0.000023"), Decimal("0.00023"))


@pytest.mark.usefixtures("priced")
def test_the_cache_saves_what_the_first_answer_took() -> None:
    first = ask("say Once and for all.")
    write(first)
    again = ask("say Once and for all.")
    again.message.conversation.user = first.message.conversation.user
    again.message.conversation.save()
    reply = write(again)

    assert (reply.input_tokens, reply.cost) == (None, 0)
    assert (reply.saved_tokens, reply.saved_cost) == (8, Decimal("0.000023"))
    day = DailyUsage.objects.get(user=first.message.conversation.user)
    assert (day.messages, day.tokens, day.saved_answers, day.saved_tokens) == (2, 8, 1, 8)


@pytest.mark.usefixtures("priced")
def test_where_the_provider_counts_nothing_tokens_are_estimated() -> None:
    reply = write(ask("say Half an answer\nfail interrupted"))

    assert (reply.status, reply.tokens_estimated) == (Status.FAILED, True)
    assert reply.output_tokens == 4
    assert reply.input_tokens is not None
    assert reply.input_tokens > 100  # the system prompt and the tools are read as well
    assert (sums(reply).messages, sums(reply).estimated) == (0, 1)


@pytest.mark.usefixtures("priced")
def test_a_server_that_never_spoke_has_taken_nothing() -> None:
    reply = write(ask("fail unreachable"))

    assert (reply.input_tokens, reply.output_tokens, reply.cost) == (None, None, 0)
    assert not ConversationUsage.objects.exists()


@pytest.mark.usefixtures("priced")
def test_what_is_continued_is_added_once() -> None:
    reply = write(ask("say Half\nfail interrupted"))
    before = sums(reply).tokens
    answering.go_on(reply)
    done = write(reply, 2)

    assert done.output_tokens == 1 + 7
    assert sums(done).tokens == (done.input_tokens or 0) + (done.output_tokens or 0)
    assert sums(done).tokens > before


@pytest.mark.usefixtures("priced")
def test_a_worker_that_leaves_counts_what_it_took() -> None:
    reply = ask("say Hello")
    attempt = attempts.begin(reply.pk, 1)
    assert attempt
    attempt.input_tokens, attempt.output_tokens = 5, 2
    attempts.hand_back(attempt)
    attempts.hand_back(attempt)  # not running any more: nothing is added

    assert (sums(reply).messages, sums(reply).tokens) == (0, 7)


def test_the_guide_costs_nothing(settings: Any) -> None:
    settings.CHAT_BACKENDS = {"default": {"BACKEND": "conversations.ai.guide.GuideBackend"}}
    reply = write(ask("What is 2+2?"))

    assert (reply.input_tokens, reply.output_tokens, reply.cost) == (None, None, 0)
    assert sums(reply).messages == 1


def test_a_permission_that_is_asked_for_counts_once() -> None:
    reply = write(ask('tool rename_conversation {"title": "New"}'))
    assert reply.status == Status.ASKING
    assert sums(reply).messages == 1
    run = reply.tool_runs.get()
    answering.decide(run, run.seal, allow=True)
    write(reply, 2)
    assert sums(reply).messages == 1


def test_an_answer_stopped_before_its_first_word_is_none() -> None:
    reply = ask("pause 5")

    async def stopped() -> None:
        await replies.write(reply.pk, 1)

    Reply.objects.filter(pk=reply.pk).update(stop_requested=True)
    async_to_sync(stopped)()
    reply.refresh_from_db()
    assert reply.status == Status.STOPPED
    assert DailyUsage.objects.filter(messages__gt=0).count() == 0


def test_sums_of_another_hour_begin_anew(time_machine: Any) -> None:
    user = UserFactory()
    for moment in ("2026-11-26T10:59:00Z", "2026-11-26T11:01:00Z"):
        time_machine.move_to(moment)
        DailyUsage.add(user.pk, "default", "m", "USD", Entry(messages=1, input_tokens=5))
    row = DailyUsage.objects.get(user=user)
    assert (row.messages, row.tokens, row.hour_messages, row.hour_tokens) == (2, 10, 1, 5)


def test_sums_take_one_statement_each(django_assert_num_queries: Any) -> None:
    conversation = ConversationFactory()
    with django_assert_num_queries(2):
        ConversationUsage.add(conversation.pk, "USD", Entry(messages=1))
        DailyUsage.add(conversation.user_id, "default", "m", "USD", Entry(messages=1))


@pytest.mark.parametrize("tokens", [-5, 2**70])
def test_counts_that_no_column_takes_are_bounded(tokens: int) -> None:
    spent = Spent.now(price(["9999999", "9999999"]), tokens, tokens, tokens, estimated=False)
    assert 0 <= spent.input <= MOST_TOKENS
    assert 0 <= spent.cost <= 10**11
    assert (spent + spent).input <= MOST_TOKENS


def test_prices_of_the_provider_s_cache() -> None:
    assert price(["10", "20", "1"]).cost(1_000_000, 500_000, 400_000) == Decimal("16.4")
    assert price(["10", "20"]).cost(1_000_000, 0, 400_000) == 10
    for bad in (["1"], ["x", "1"], ["1", "-1"], ["nan", "1"], ["1", "2", "3", "4"]):
        with pytest.raises(ValueError, match="prices must be"):
            price(bad)


def test_estimates_count_system_prompt_and_tools() -> None:
    from conversations.ai import tokens

    bare = ChatRequest((Turn("user", "Hello there"),))
    told = ChatRequest((Turn("user", "Hello there"),), system="x" * 400)
    assert tokens.of_request(bare) == 4 + 3
    assert tokens.of_request(told) == 4 + 3 + 100
    assert tokens.estimate("日本語") == 3  # nine bytes
