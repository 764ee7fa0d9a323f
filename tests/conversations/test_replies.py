from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import redis
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from conversations import answering, attempts, deleting, measuring, replies, sending
from conversations.ai.base import Usage
from conversations.models import (
    Conversation,
    Message,
    Permission,
    Reply,
    Role,
    Status,
    ToolRun,
)
from conversations.streams import writer
from conversations.streams.events import stream_key
from conversations.tasks import sweep_replies
from conversations.tools.base import Tool, registry
from performance.cache import conversation_cache
from tests.backends import ScriptedBackend
from tests.factories import MessageFactory, ReplyFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("scripted", "queue_redis", "cache_redis"),
]


@pytest.fixture
def scripted(settings: Any) -> None:
    settings.CHAT_BACKENDS = {"default": {"BACKEND": "tests.backends.ScriptedBackend"}}


def ask(text: str) -> Reply:
    question = MessageFactory(text=text)
    answer = MessageFactory(conversation=question.conversation, role=Role.ASSISTANT, text="")
    reply: Reply = ReplyFactory(message=answer)
    return reply


def write(reply: Reply, number: int = 1) -> Reply:
    async_to_sync(replies.write)(reply.pk, number)
    return Reply.objects.select_related("message").get(pk=reply.pk)


def test_an_answer_is_written_once_with_its_figures() -> None:
    reply = write(ask("say **Hello** there"))

    assert reply.status == Status.COMPLETE
    assert reply.message.text == "**Hello** there"
    assert reply.message.html == "<p><strong>Hello</strong> there</p>\n"
    assert (reply.author, reply.input_tokens, reply.output_tokens) == ("Scripted", 1, 7)
    assert all([reply.started_at, reply.first_text_at, reply.finished_at])


def test_an_attempt_is_claimed_once() -> None:
    reply = write(ask("say one"))
    before = reply.finished_at

    assert write(reply).finished_at == before
    assert write(reply, 2).attempt == 1


def test_an_attempt_begins_with_three_statements(django_assert_num_queries: Any) -> None:
    reply = ask("say one")

    with django_assert_num_queries(3):  # the claim, the reply with all choices, the messages
        attempt = attempts.begin(reply.pk, 1)

    assert attempt is not None
    assert [turn.text for turn in attempt.turns] == ["say one"]
    assert not attempt.has_files


def test_a_tool_call_is_run_kept_and_given_back() -> None:
    reply = write(ask('tool calculator {"expression": "6*7"}'))

    (run,) = reply.tool_runs.all()
    assert (run.name, run.error, run.attempt) == ("calculator", "", 1)
    assert "42" in run.result
    assert reply.message.text.startswith("The tool says:")
    assert "42" in reply.message.text


def test_the_same_tool_call_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(ask('tool calculator {"expression": "6*7"}'))
    second = write(ask('tool calculator {"expression":"6*7"}'))

    assert first.tool_runs.get().cached_at is None
    assert second.tool_runs.get().cached_at is not None
    assert second.message.text == first.message.text


def test_a_question_asked_before_gets_its_answer_from_the_cache() -> None:
    first = ask("say Once and for all.")
    assert write(first).cached_at is None

    again = ask("say Once and for all.")
    again.message.conversation.user = first.message.conversation.user
    again.message.conversation.save()
    again = write(again)

    assert again.cached_at is not None
    assert again.message.text == "Once and for all."
    assert again.input_tokens is None


def test_no_user_gets_anothers_answer() -> None:
    for _ in range(2):
        assert write(ask("say Only mine.")).cached_at is None


@pytest.mark.parametrize("how", ["asked anew", "opted out"])
def test_the_cache_is_passed_by(how: str) -> None:
    first = ask("say Fresh.")
    write(first)
    again = ask("say Fresh.")
    conversation = again.message.conversation
    conversation.user = first.message.conversation.user
    conversation.reuse_answers = how != "opted out"
    conversation.save()
    again.fresh = how == "asked anew"
    again.save()

    assert write(again).cached_at is None


@pytest.mark.parametrize("question", ["say Half.\nfail timeout", "tool no_such_tool {}"])
def test_what_is_not_complete_or_does_not_last_is_not_kept(question: str) -> None:
    first = ask(question)
    write(first)
    again = ask(question)
    again.message.conversation.user = first.message.conversation.user
    again.message.conversation.save()

    assert write(again).cached_at is None


def test_an_unknown_tool_is_an_error_for_the_model_not_for_us() -> None:
    reply = write(ask("tool no_such_tool {}"))

    assert reply.status == Status.COMPLETE
    assert reply.tool_runs.get().error


def test_a_model_that_only_calls_tools_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.backends._script", lambda _turn: ["tool calculator {}"])
    reply = write(ask("loop"))

    assert (reply.status, reply.error) == (Status.FAILED, "tool_rounds")
    assert reply.tool_runs.count() == replies.ROUNDS


@pytest.mark.parametrize("code", ["unreachable", "rate_limited", "context_too_long"])
def test_a_named_error_keeps_the_text_and_says_why(code: str) -> None:
    reply = write(ask(f"say Half of\nfail {code}"))

    assert (reply.status, reply.error) == (Status.FAILED, code)
    assert reply.explanation
    assert reply.message.text == "Half of"


def test_an_unforeseen_error_is_told_without_its_details(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_turn: object) -> list[str]:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("tests.backends._script", broken)
    reply = write(ask("say hi"))

    assert (reply.status, reply.error) == (Status.FAILED, "internal")
    assert "secret" not in reply.explanation


def during(
    reply: Reply,
    act: Callable[[], Any],
    delay: float = 0.3,
    after: Callable[[], Any] = lambda: None,
) -> Reply:
    """Writes the reply and calls `act` meanwhile, and `after` once it is written."""

    async def both() -> None:
        work = asyncio.create_task(replies.write(reply.pk, 1))
        await asyncio.sleep(delay)
        await sync_to_async(act)()
        await work
        after()

    async_to_sync(both)()
    return Reply.objects.select_related("message").get(pk=reply.pk)


def test_stop_ends_the_provider_and_keeps_what_was_written() -> None:
    ScriptedBackend.closed.clear()
    reply = ask("say Begun. \npause 30\nsay Never.")

    ended = during(reply, lambda: answering.stop(reply))

    assert ended.status == Status.STOPPED
    assert ended.message.text == "Begun. "
    assert ScriptedBackend.closed


def test_a_reply_that_was_stopped_while_it_waited_asks_nobody() -> None:
    reply = ask("say Never.")
    answering.stop(reply)

    ended = write(reply)

    assert (ended.status, ended.message.text, ended.asked_at) == (Status.STOPPED, "", None)


class Endless:
    """A tool that ends when it is cancelled, or let go."""

    def __init__(self) -> None:
        self.ended = ""
        self.let_go = threading.Event()

    async def coroutine(self) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise

    def thread(self) -> None:
        self.let_go.wait(30)
        self.ended = "let go"


@pytest.fixture(params=["coroutine", "thread"])
def endless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Endless:
    """The tool "endless"."""
    endless, arguments = Endless(), msgspec.defstruct("endless_arguments", [])
    function = getattr(endless, request.param)
    monkeypatch.setitem(registry, "endless", Tool("endless", "Never ends.", function, arguments))
    return endless


def test_stop_while_a_tool_runs_waits_for_no_tool(endless: Endless) -> None:
    reply = ask("say First. \ntool endless {}")
    heard: list[str] = []

    def after() -> None:
        heard.append(endless.ended)
        endless.let_go.set()

    ended = during(reply, lambda: answering.stop(reply), after=after)

    assert (ended.status, ended.message.text) == (Status.STOPPED, "First. ")
    # A thread cannot be cancelled: what it has to say is not heard any more.
    assert heard[0] in {"cancelled", ""}
    assert not ended.tool_runs.exists()
    (*earlier, last) = queue_frames(ended)
    assert last.startswith(b"done ")
    assert ended.frames == len(earlier)
    assert answering.go_on(reply)
    ended = write(reply, 2)
    assert (ended.status, ended.message.text) == (Status.COMPLETE, "First.  and so on")


def queue_frames(reply: Reply) -> list[bytes]:
    """What those who watch were told."""
    with redis.Redis.from_url(settings.QUEUE_URL) as client:
        found: Any = client.xrange(stream_key(reply.message.conversation_id))
    return [fields[b"f"] for _, fields in found]


def test_stop_works_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "CHECKPOINT", 0.1)
    reply = ask("say Begun.\npause 30")
    ended = during(reply, lambda: Reply.objects.update(stop_requested=True))

    assert ended.status == Status.STOPPED


def test_no_words_stay_in_the_stream_of_a_conversation_that_is_deleted_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[Status] = []
    monkeypatch.setattr(measuring, "ended", lambda _attempt, status: ended.append(status))
    monkeypatch.setattr(replies, "CHECKPOINT", 0.3)
    reply = ask("repeat 4000 0.005 words")
    with pytest.raises(Reply.DoesNotExist):
        during(reply, lambda: deleting.delete(reply.message.conversation))

    assert queue_frames(reply) == []
    assert ended == [Status.STOPPED]  # what it took is in the site's figures all the same


def test_an_attempt_that_was_overtaken_writes_nothing() -> None:
    reply = ask("say Old words.\npause 0.6\nsay More.")

    ended = during(reply, lambda: Reply.objects.update(attempt=2))

    assert (ended.status, ended.attempt) == (Status.RUNNING, 2)
    assert "More." not in ended.message.text


def test_a_leaving_worker_hands_the_reply_back() -> None:
    reply = ask("say Begun.\npause 30")

    async def cancelled() -> None:
        work = asyncio.create_task(replies.write(reply.pk, 1))
        await asyncio.sleep(0.3)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    async_to_sync(cancelled)()
    reply.refresh_from_db()
    assert (reply.status, reply.attempt, reply.enqueued_at) == (Status.PENDING, 1, None)


def test_a_checkpoint_shows_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "CHECKPOINT", 0.1)
    reply = ask("say So far. \npause 0.6\nsay End.")
    seen: list[str] = []

    ended = during(reply, lambda: seen.append(Message.objects.get(pk=reply.message_id).text), 0.5)

    assert seen == ["So far. "]
    assert ended.message.text == "So far. End."


def test_a_cache_that_fails_loudly_takes_no_checkpoint_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_args: object) -> None:
        raise ConnectionError("the cache is away")

    monkeypatch.setattr(conversation_cache, "aforget", broken)
    monkeypatch.setattr(replies, "CHECKPOINT", 0.1)
    reply = ask("say So far.\npause 6\nsay All.")
    ended = during(reply, lambda: Reply.objects.update(stop_requested=True))

    assert (ended.status, ended.message.text) == (Status.STOPPED, "So far.")


def test_it_is_soon_known_where_the_frames_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the writer has a connection already, so that they begin before the first look."""
    monkeypatch.setattr(replies, "CHECKPOINT", 3600)
    before, reply = ask("say one"), ask("say one\npause 3600")

    async def scenario() -> None:
        await replies.write(before.pk, 1)
        work = asyncio.create_task(replies.write(reply.pk, 1))
        async with asyncio.timeout(10):
            while not (await Reply.objects.aget(pk=reply.pk)).stream_start:
                await asyncio.sleep(0.02)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    async_to_sync(scenario)()


def test_without_redis_an_answer_is_not_kept_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    checkpoint = attempts.checkpoint

    def noted(attempt: attempts.Attempt, stream_start: str) -> bool:
        kept.append(stream_start)
        return checkpoint(attempt, stream_start)

    monkeypatch.setattr(attempts, "checkpoint", noted)
    monkeypatch.setattr(replies, "FIRST_CHECKPOINT", 0.01)
    monkeypatch.setattr(writer, "PARTING", 0.1)
    reply = ask("say So far.\npause 0.8\nsay  End.")
    monkeypatch.setattr(settings, "QUEUE_URL", "unix:///nowhere/queue.sock")

    assert write(reply).message.text == "So far. End."
    assert {*kept} == {""}
    assert len(kept) < 12  # each time after twice as long


def test_a_new_attempt_says_nothing_of_where_the_one_before_began() -> None:
    reply = ask("say Hello")
    Reply.objects.update(stream_start="17-3")
    assert attempts.begin(reply.pk, 1)
    assert Reply.objects.get(pk=reply.pk).stream_start == ""


def test_the_end_waits_for_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    end = attempts.end

    def away_at_first(*arguments: Any) -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the database is starting up")
        return end(*arguments)

    monkeypatch.setattr(attempts, "end", away_at_first)

    assert write(ask("say Patience.")).message.text == "Patience."
    assert len(calls) == 2


def test_the_sweeper_hands_on_what_a_dead_worker_left() -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    dead = ReplyFactory(status=Status.RUNNING, attempt=1, beat_at=long_ago)
    stopped = ReplyFactory(status=Status.RUNNING, beat_at=long_ago, stop_requested=True)
    healthy = ReplyFactory(status=Status.RUNNING, beat_at=timezone.now())

    assert sweep_replies.call() == 1

    for reply, status in [(dead, "pending"), (stopped, "stopped"), (healthy, "running")]:
        reply.refresh_from_db()
        assert reply.status == status
    assert Reply.objects.begin(dead.pk, 2)


def test_the_sweeper_enqueues_with_doubling_patience() -> None:
    now = timezone.now()

    def pending(waited: int, enqueued: int) -> Reply:
        ago = {"pending_since": waited, "enqueued_at": enqueued}
        times = {name: now - timedelta(seconds=seconds) for name, seconds in ago.items()}
        reply: Reply = ReplyFactory(**times)
        return reply

    fresh, lost = pending(5, 5), pending(11, 11)
    long_wait, longer_wait = pending(100, 30), pending(100, 60)

    assert set(Reply.objects.overdue(timedelta(seconds=10))) == {lost, longer_wait}
    assert sweep_replies.call() == 2
    assert sweep_replies.call() == 0
    assert {fresh.status, long_wait.status} == {Status.PENDING}


def test_what_a_dead_worker_leaves_again_and_again_is_given_up(queue_redis: Any) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    reply = ReplyFactory(status=Status.RUNNING, attempt=5, beat_at=long_ago)

    assert sweep_replies.call() == 0

    reply.refresh_from_db()
    assert (reply.status, reply.error) == (Status.FAILED, "lost")
    (_, fields), *_ = queue_redis.xrange(stream_key(reply.message.conversation_id))
    assert fields[b"f"].startswith(b"state ")


@pytest.mark.parametrize("tokens", [2**40, -5])
def test_any_number_of_tokens_can_be_reported(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.backends.Usage", lambda **_: Usage(tokens, tokens))

    reply = write(ask("say Fine."))

    assert reply.status == Status.COMPLETE
    assert reply.input_tokens == (2**31 - 1 if tokens > 0 else None)


def test_what_the_database_refuses_fails_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(spent: Any, price: Any) -> dict[str, Any]:
        return {"input_tokens": 2**40} if spent.tokens else {}

    monkeypatch.setattr(attempts.spent, "fields", refused)

    reply = write(ask("say Fine."))

    assert (reply.status, reply.error) == (Status.FAILED, "internal")


def test_an_answer_without_a_word_is_a_failure() -> None:
    reply = write(ask("pause 0"))

    assert (reply.status, reply.error) == (Status.FAILED, "empty")


def test_words_before_a_tool_stand_apart_from_those_after() -> None:
    reply = write(ask('say Let me look.\ntool calculator {"expression": "2+2"}'))

    assert reply.message.text.startswith("Let me look.\n\nThe tool says:")


def test_a_model_is_told_of_its_own_branch_alone() -> None:
    reply = write(ask("say one"))
    conversation = reply.message.conversation
    sending.send(conversation, "say two", uuid.uuid4())
    other = answering.again(reply).reply

    assert write(other).input_tokens == 1  # turns: the question before it, nothing that follows
    last = conversation.messages.filter(role=Role.ASSISTANT, branch=reply.message.branch)
    assert write(last.latest("place").reply).input_tokens == 3


def test_an_interrupted_answer_goes_on_where_it_is() -> None:
    reply = ask("say Half\nfail timeout")
    assert write(reply).status == Status.FAILED
    assert answering.go_on(reply)

    reply = write(reply, 2)

    assert (reply.status, reply.message.text) == (Status.COMPLETE, "Half and so on")
    assert not reply.continues


RENAME = 'tool rename_conversation {"title": "Brie"}'


def asked(reply: Reply) -> ToolRun:
    """The call of the first attempt, which waits for its user."""
    assert write(reply).status == Status.ASKING
    run: ToolRun = reply.tool_runs.get()
    assert (run.permission, run.result) == (Permission.ASKED, "")
    return run


def title(reply: Reply) -> str:
    return Conversation.objects.get(pk=reply.message.conversation_id).title


def test_a_tool_that_acts_runs_once_allowed() -> None:
    reply = ask(f"say First.\n{RENAME}")
    run, before = asked(reply), title(reply)
    assert title(reply) == before != "Brie"

    answering.decide(run, run.seal, allow=True)
    reply = write(reply, 2)

    assert title(reply) == "Brie"
    assert reply.status == Status.COMPLETE
    assert reply.message.text.startswith("First.\n\nThe tool says:")
    run.refresh_from_db()
    assert (run.permission, run.attempt) == (Permission.USED, 2)
    assert reply.turns == ""


def test_a_tool_that_is_refused_does_not_run() -> None:
    reply = ask(RENAME)
    run, before = asked(reply), title(reply)

    answering.decide(run, run.seal, allow=False)
    reply = write(reply, 2)

    assert title(reply) == before
    assert answering.REFUSED in reply.message.text


def test_what_was_allowed_is_not_run_twice_where_a_worker_dies() -> None:
    reply = ask(RENAME)
    run, before = asked(reply), title(reply)
    answering.decide(run, run.seal, allow=True)
    assert attempts.begin(reply.pk, 2)  # a worker that used the permission, and died
    ToolRun.objects.update(permission=Permission.USED)
    Reply.objects.update(beat_at=timezone.now() - timedelta(minutes=1))
    sweep_replies.func()

    reply = write(reply, 3)

    assert title(reply) == before
    assert "Whether it took effect is not known." in reply.message.text


def test_a_tool_that_changed_since_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = ask(RENAME)
    run, before = asked(reply), title(reply)
    answering.decide(run, run.seal, allow=True)
    tool = registry["rename_conversation"]
    monkeypatch.setitem(registry, tool.name, msgspec.structs.replace(tool, version=2))

    assert "ask again" in write(reply, 2).message.text
    assert title(reply) == before


def test_the_user_sees_what_the_tool_will_take() -> None:
    run = asked(ask('tool rename_conversation {"title": "Harmless", "title": "Brie"}'))
    assert run.arguments == '{"title":"Brie"}'


def test_a_call_that_cannot_be_valid_asks_nobody() -> None:
    reply = write(ask('tool rename_conversation {"name": "Brie"}'))

    assert reply.status == Status.COMPLETE
    assert "not valid" in reply.message.text


def test_the_stages_of_an_answer_are_known() -> None:
    names = [name for name, _ in write(ask("say Hello")).stages]
    assert names == ["queue", "pick-up", "provider", "first text", "delivery", "writing"]


def test_an_answer_from_the_cache_asked_no_provider() -> None:
    first = ask("say Once.")
    write(first)
    again = ask("say Once.")
    again.message.conversation.user = first.message.conversation.user
    again.message.conversation.save()
    assert [name for name, _ in write(again).stages] == ["queue", "pick-up", "delivery", "writing"]


def test_waiting_for_the_provider_shows_and_ends(queue_redis: Any) -> None:
    reply = ask("hold 0.2\nsay Now.")
    seen: list[Any] = []
    hold = attempts.hold

    def watched(attempt: attempts.Attempt, seconds: float) -> None:
        hold(attempt, seconds)
        seen.append(Reply.objects.get(pk=reply.pk).waits_until)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attempts, "hold", watched)
        done = write(reply)
    assert seen[0] is not None
    assert seen[1:] == [None]
    assert (done.message.text, done.waits_until) == ("Now.", None)
    frames = queue_redis.xrange(stream_key(done.message.conversation_id))
    held = [frame[b"f"] for _, frame in frames if frame[b"f"].startswith(b"held")]
    assert [msgspec.json.decode(frame[5:])["s"] for frame in held] == [0.2, 0.0]
