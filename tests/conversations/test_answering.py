from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from conversations import answering, windows
from conversations.models import Message, Permission, Reply, Status, ToolRun
from tests.factories import MessageFactory, ReplyFactory, ToolRunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue_redis")]
UNFINISHED = [Status.FAILED, Status.STOPPED]


def test_stopping_a_waiting_reply_ends_it() -> None:
    reply = ReplyFactory()

    answering.stop(reply)

    reply.refresh_from_db()
    assert reply.status == Status.STOPPED
    assert not Reply.objects.begin(reply.pk, 1)


def test_stopping_a_running_reply_asks_its_worker(queue_redis: Any) -> None:
    reply = ReplyFactory(status=Status.RUNNING, attempt=3)

    answering.stop(reply)

    reply.refresh_from_db()
    assert (reply.status, reply.stop_requested) == (Status.RUNNING, True)
    assert queue_redis.exists(f"stop:{reply.message_id}:3")


def test_stopping_an_ended_reply_changes_nothing() -> None:
    reply = ReplyFactory(status=Status.COMPLETE)

    answering.stop(reply)

    reply.refresh_from_db()
    assert (reply.status, reply.stop_requested) == (Status.COMPLETE, False)


@pytest.mark.parametrize("status", UNFINISHED)
def test_an_answer_without_a_word_is_made_anew_in_its_place(status: Status) -> None:
    reply = ReplyFactory(status=status, attempt=1, error="timeout", explanation="Too slow.")

    assert answering.again(reply) == reply.message

    reply.refresh_from_db()
    assert (reply.status, reply.error, reply.explanation) == (Status.PENDING, "", "")
    assert reply.fresh
    assert Reply.objects.begin(reply.pk, 2)


@pytest.mark.parametrize("status", [*UNFINISHED, Status.COMPLETE])
def test_any_other_answer_stays_and_gets_another_version(status: Status) -> None:
    MessageFactory.create()
    reply = ReplyFactory(
        status=status, attempt=1, message__text="Half an answ", cached_at=timezone.now()
    )

    new = answering.again(reply)

    assert new != reply.message
    assert (new.reply.status, new.reply.fresh) == (Status.PENDING, True)
    reply.refresh_from_db()
    assert (reply.status, reply.message.text) == (status, "Half an answ")
    assert windows.versions(reply.message) == (reply.message.branch_id, new.branch_id)


def test_asking_again_twice_makes_one_version() -> None:
    reply = ReplyFactory(status=Status.COMPLETE, message__text="Yes")

    assert answering.again(reply) == answering.again(reply)
    assert Message.objects.count() == 2


@pytest.mark.parametrize("status", UNFINISHED)
def test_an_interrupted_answer_is_continued(status: Status) -> None:
    reply = ReplyFactory(status=status, attempt=1, message__text="Half an answ")

    assert answering.go_on(reply)

    reply.refresh_from_db()
    assert (reply.status, reply.continues) == (Status.PENDING, True)
    assert not answering.go_on(reply)


@pytest.mark.parametrize(("status", "text"), [(Status.COMPLETE, "All"), (Status.FAILED, "")])
def test_no_other_answer_is(status: Status, text: str) -> None:
    assert not answering.go_on(ReplyFactory(status=status, message__text=text))


def test_an_answer_that_is_full_is_not_continued() -> None:
    full = ReplyFactory(status=Status.FAILED, error="too_long", message__text="x")
    assert full.is_full
    assert not answering.go_on(full)


@pytest.fixture
def run() -> ToolRun:
    """A call that waits for its user."""
    reply = ReplyFactory.create(status=Status.ASKING, attempt=1, turns="{}")
    made: ToolRun = ToolRunFactory.create(
        reply=reply,
        name="rename_conversation",
        arguments='{"title":"A"}',
        permission=Permission.ASKED,
    )
    return made


@pytest.mark.parametrize("allow", [True, False])
def test_a_decision_lets_the_answer_go_on(run: ToolRun, allow: bool) -> None:
    answering.decide(run, run.seal, allow=allow)

    run.refresh_from_db()
    assert run.permission == (Permission.GIVEN if allow else Permission.REFUSED)
    assert run.error == ("" if allow else answering.REFUSED)
    assert run.reply.status == Status.PENDING
    with pytest.raises(Reply.DoesNotExist):
        answering.decide(run, run.seal, allow=allow)


def test_it_waits_for_every_decision(run: ToolRun) -> None:
    other = ToolRunFactory.create(reply=run.reply, permission=Permission.ASKED)

    answering.decide(run, run.seal, allow=True)
    with pytest.raises(answering.Outdated):
        answering.decide(run, run.seal, allow=False)
    run.reply.refresh_from_db()
    assert run.reply.status == Status.ASKING

    answering.decide(other, other.seal, allow=False)
    run.reply.refresh_from_db()
    assert run.reply.status == Status.PENDING


@pytest.mark.parametrize(
    "change", [{"arguments": '{"title":"B"}'}, {"name": "other"}, {"version": 2}]
)
def test_a_decision_is_about_exactly_one_call(run: ToolRun, change: dict[str, Any]) -> None:
    seal = run.seal
    ToolRun.objects.update(**change)
    run.refresh_from_db()

    with pytest.raises(answering.Outdated):
        answering.decide(run, seal, allow=True)
    assert run.permission == Permission.ASKED


def test_stopping_refuses_what_waits(run: ToolRun) -> None:
    answering.stop(run.reply)

    run.refresh_from_db()
    assert (run.permission, run.reply.status) == (Permission.REFUSED, Status.STOPPED)
