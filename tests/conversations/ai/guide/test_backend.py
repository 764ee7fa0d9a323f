from __future__ import annotations

import asyncio
import json

import pytest

from conversations import tools
from conversations.ai.base import ChatRequest, Event, Finish, Text, ToolCall, Turn
from conversations.ai.guide import GuideBackend
from conversations.ai.guide.answers import Outcome

SPECS = tools.specs()


def play(*turns: Turn, offered: bool = True) -> list[Event]:
    async def main() -> list[Event]:
        request = ChatRequest(turns, tools=SPECS if offered else ())
        return [event async for event in GuideBackend("default", {}).stream(request)]

    return asyncio.run(main())


def said(events: list[Event]) -> str:
    assert events[-1] == Finish("stop")
    return "".join(event.text for event in events if isinstance(event, Text))


def after(question: str, *results: str) -> list[Event]:
    """The events after the tools that the question asks for gave these results."""
    turns = [Turn("user", question)]
    for result in results:
        found = [event for event in play(*turns) if isinstance(event, ToolCall)]
        turns.append(Turn("assistant", "", tuple(found)))
        turns += [Turn("tool", result, (), call.id) for call in found]
    return play(*turns)


def test_asks_for_tools_then_answers() -> None:
    call, finish = play(Turn("user", "what's 17.5% of 240?"))
    assert call == ToolCall("guide_1", "calculator", '{"expression":"17.5% of 240"}')
    assert finish == Finish("tool_calls")
    result = json.dumps({"expression": "17.5% of 240", "result": "42", "exact": True})
    assert said(after("what's 17.5% of 240?", result)) == "`17.5% of 240` = **42**"


@pytest.mark.parametrize(
    "result", ["Division by zero has no result.", '{"error": "Division by zero has no result."}']
)
def test_a_tool_s_refusal_is_told(result: str) -> None:
    assert said(after("10/0", result)) == "I can't calculate that. Division by zero has no result."


def passages(*scores: float, is_match: bool = True) -> str:
    found = [
        {
            "title": f"T{n}",
            "url": f"/help/p/#t{n}",
            "text": f"Line {n}\n\nmore",
            "score": score,
            "is_match": is_match,
        }
        for n, score in enumerate(scores)
    ]
    return json.dumps({"passages": found})


def test_help_is_quoted_with_its_link() -> None:
    assert said(after("how do I fly?", passages(0.9, 0.7))) == (
        "> Line 0\n>\n> more\n\nFrom the help: [T0](/help/p/#t0)"
    )


def test_two_passages_that_are_equally_near_are_both_quoted() -> None:
    assert said(after("how do I fly?", passages(0.9, 0.89, 0.88))).count("From the help") == 2


def test_below_the_margin_it_says_so_and_how_to_connect_a_model() -> None:
    text = said(after("how do I fly?", passages(0.5, is_match=False)))
    assert text.startswith("I can't answer that.")
    assert "/help/connect-a-model/" in text
    assert "Line 0" not in text


def test_commands_are_not_pretended_to_be_done() -> None:
    assert said(after("delete all my conversations", passages(0.9))).startswith(
        "I can't do that for you"
    )


def test_what_is_no_unit_is_looked_up_in_the_help() -> None:
    error = json.dumps({"error": "I do not know the unit 'dollars'."})
    events = after("convert 5 dollars to euros", error)
    assert [event.name for event in events if isinstance(event, ToolCall)] == ["search_help"]
    text = said(after("convert 5 dollars to euros", error, passages(0.9)))
    assert text.startswith("I can't answer that. I do not know the unit 'dollars'.")


def test_own_messages_are_quoted_with_date_and_link() -> None:
    found = {
        "messages": [
            {
                "url": "/c/1/#m2",
                "conversation": "Su[mm]er",
                "date": "2026-05-03",
                "text": "a\nb",
                "score": 0.9,
                "is_match": True,
            }
        ]
    }
    assert said(after("what did I say about Rome?", json.dumps(found))) == (
        "On 2026-05-03 you wrote in [Su(mm)er](/c/1/#m2):\n\n> a\n> b"
    )
    nothing = said(after("what did I say about Rome?", '{"messages": []}'))
    assert nothing == "I found nothing about “rome” in your own messages."


def test_tools_that_are_not_offered_are_not_called() -> None:
    assert said(play(Turn("user", "2+2"), offered=False)).startswith("I can't answer that.")


def test_rounds_end() -> None:
    error = json.dumps({"error": "No."})
    turns = [Turn("user", "convert 5 x to y")]
    for _ in range(9):
        calls = tuple(event for event in play(*turns) if isinstance(event, ToolCall))
        if not calls:
            break
        turns.append(Turn("assistant", "", calls))
        turns += [Turn("tool", error, (), call.id) for call in calls]
    assert len(turns) < 9
    assert said(play(*turns)).startswith("I can't answer that.")


def test_streams_block_by_block() -> None:
    texts = [event.text for event in play(Turn("user", "hi")) if isinstance(event, Text)]
    assert len(texts) == 2
    assert texts[0].endswith("\n\n")


@pytest.mark.parametrize("turns", [(), (Turn("assistant", "Hello"),)])
def test_without_a_question(turns: tuple[Turn, ...]) -> None:
    assert said(play(*turns)).startswith("I can't answer that.")


def test_it_is_no_language_model() -> None:
    assert not GuideBackend.is_language_model
    assert GuideBackend.label == "Guide"


@pytest.mark.parametrize("text", ["", "nonsense", '{"error": 5}', "[1]"])
def test_any_result_can_be_read(text: str) -> None:
    outcome = Outcome.read(ToolCall("c", "t", "{}"), text)
    assert outcome.error or outcome.value == [1]
