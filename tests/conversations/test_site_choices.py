"""What staff settle for all answers: the system prompt, and the tools that are on."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import pytest

from conversations.ai.base import ChatRequest, Event
from conversations.models import Status, SystemPrompt, ToolSwitch
from tests.backends import ScriptedBackend
from tests.conversations.test_replies import ask, scripted, write

__all__ = ["scripted"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("listening", "queue_redis", "cache_redis"),
]


class Listening(ScriptedBackend):
    asked: ClassVar[list[ChatRequest]] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event]:
        self.asked.append(request)
        async for event in super().stream(request):
            yield event


@pytest.fixture
def listening(settings: Any) -> None:
    settings.CHAT_BACKENDS = {"default": {"BACKEND": f"{__name__}.Listening"}}
    settings.SYSTEM_PROMPT = "From the settings."
    Listening.asked.clear()


def again(first: Any) -> Any:
    reply = ask("say Hello")
    reply.message.conversation.user = first.message.conversation.user
    reply.message.conversation.save()
    return write(reply)


def test_the_newest_version_is_what_a_model_is_told() -> None:
    assert write(ask("say Hello")).prompt == 0
    SystemPrompt.objects.create(text="First.", reason="r", by_name="carol")
    newest = SystemPrompt.objects.create(text="Second.", reason="r", by_name="carol")
    assert write(ask("say Hello")).prompt == newest.pk
    assert [request.system for request in Listening.asked] == ["From the settings.", "Second."]


def test_an_answer_to_another_prompt_is_not_shown_again() -> None:
    first = write(ask("say Hello"))
    assert again(first).cached_at is not None
    SystemPrompt.objects.create(text="Be brief.", reason="r", by_name="carol")
    assert again(first).cached_at is None
    assert again(first).cached_at is not None


def test_a_tool_that_is_off_is_not_offered_nor_run() -> None:
    ToolSwitch.objects.create(name="calculator")
    reply = write(ask('tool calculator {"expression": "6*7"}'))

    (run,) = reply.tool_runs.all()
    assert reply.status == Status.COMPLETE
    assert "turned this tool off" in run.error
    offered = {spec.name for spec in Listening.asked[0].tools}
    assert "calculator" not in offered
    assert "units" in offered or len(offered) > 3


def test_a_tool_that_is_off_asks_for_no_permission() -> None:
    ToolSwitch.objects.create(name="rename_conversation")
    reply = write(ask('tool rename_conversation {"title": "New"}'))
    assert reply.status == Status.COMPLETE
    assert "turned this tool off" in reply.tool_runs.get().error


def test_what_was_allowed_does_not_run_once_it_is_off() -> None:
    from conversations import answering

    reply = write(ask('tool rename_conversation {"title": "New"}'))
    run = reply.tool_runs.get()
    ToolSwitch.objects.create(name="rename_conversation")
    answering.decide(run, run.seal, allow=True)
    write(reply, 2)
    run.refresh_from_db()
    assert "turned this tool off" in run.error
    reply.message.conversation.refresh_from_db()
    assert reply.message.conversation.title != "New"


def test_the_guide_does_without_it(settings: Any) -> None:
    settings.CHAT_BACKENDS = {"default": {"BACKEND": "conversations.ai.guide.GuideBackend"}}
    ToolSwitch.objects.create(name="calculator")
    reply = write(ask("What is 17*23?"))
    assert reply.status == Status.COMPLETE
    assert not reply.tool_runs.exists()
