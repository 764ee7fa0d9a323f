from __future__ import annotations

import json

import pytest

from conversations.ai.base import ToolCall
from conversations.ai.guide.answers import Outcome, compose
from conversations.ai.guide.plans import Say, Use
from conversations.ai.guide.router import route
from conversations.markdown import render


@pytest.mark.parametrize(
    "text",
    [
        "Rename this conversation to Soft Cheese",
        "please rename the chat to “Soft Cheese”.",
        "Could you call this conversation Soft Cheese?",
        'name this thread: "Soft Cheese"',
        "Change the title of this chat to Soft Cheese!",
        "set this conversation's name to Soft Cheese",
        "Give this conversation the name 'Soft Cheese'",
    ],
)
def test_a_new_name_is_given(text: str) -> None:
    plan = route(text)
    assert isinstance(plan, Use)
    assert [(call.tool, call.arguments) for call in plan.calls] == [
        ("rename_conversation", {"title": "Soft Cheese"})
    ]


@pytest.mark.parametrize(
    "text",
    [
        "how do I rename a conversation?",
        "call this conversation something else",
        "rename this conversation",
        f"rename this conversation to {'x' * 121}",
    ],
)
def test_a_question_about_it_is_looked_up(text: str) -> None:
    plan = route(text)
    assert isinstance(plan, Use)
    assert "rename_conversation" not in [call.tool for call in plan.calls]


CALL = ToolCall("1", "rename_conversation", "{}")


def said(text: str) -> str:
    plan = route("Rename this chat to A")
    assert isinstance(plan, Use)
    answer = compose("", plan, [Outcome.read(CALL, text)])
    assert isinstance(answer, Say)
    return answer.text


def test_what_was_done_is_said() -> None:
    text = said(json.dumps({"before": "Old", "title": "*A* [b](c) $x$"}))
    assert "“*A* [b](c) $x$”" in render(text)
    assert said(json.dumps({"error": "You did not allow this."})) == (
        "The name stays as it is. You did not allow this."
    )
