from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.ai.base import Turn
from conversations.ai.guide.plans import Call, Plan, Say, Use
from conversations.ai.guide.router import route


def calls(text: str, *earlier: str) -> list[tuple[str, dict[str, Any]]]:
    turns = [turn for asked in earlier for turn in (Turn("user", asked), Turn("assistant", "…"))]
    plan = route(text, turns)
    assert isinstance(plan, Use), plan
    return [(call.tool, call.arguments) for call in plan.calls]


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("what's 17.5% of 240?", "17.5% of 240"),
        ("Could you please work out 19.99 * 3 for me?", "19.99 * 3"),
        ("how much is 15% off $80", "(80) - 15%"),
        ("two plus two", "2 + 2"),
        ("12 x 12", "12 * 12"),
        ("what is 5 squared", "5 ^2"),
        ("the square root of 144", "sqrt 144"),
        ("what percentage of 240 is 42?", "42 / 240 * 100"),
        ("add 199 to 301", "(199) + (301)"),
        ("7!", "7!"),
        ("half of 93", "1/2 * 93"),
    ],
)
def test_arithmetic(text: str, expression: str) -> None:
    assert calls(text) == [("calculator", {"expression": expression})]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("time in Tokyo", {"operation": "now", "place": "tokyo"}),
        ("What time is it in New York right now?", {"operation": "now", "place": "new york"}),
        ("what time is it", {"operation": "now"}),
        ("days until christmas", {"operation": "difference", "to_date": "christmas"}),
        ("how long until new year?", {"operation": "difference", "to_date": "new year"}),
        (
            "days between 1 May 2026 and 9 June 2026",
            {"operation": "difference", "date": "1 may 2026", "to_date": "9 june 2026"},
        ),
        ("what was the date 3 weeks ago", {"operation": "shift", "amount": -3, "unit": "weeks"}),
        ("what date is it in 90 days", {"operation": "shift", "amount": 90, "unit": "days"}),
        ("which weekday was 20 July 1969?", {"operation": "weekday", "date": "20 july 1969"}),
        ("is 2028 a leap year?", {"operation": "weekday", "date": "2028-01-01"}),
        ("when is easter next year", {"operation": "weekday", "date": "easter next year"}),
        (
            "if it's 3pm in London what time is it in Sydney",
            {"operation": "convert", "time": "3pm", "place": "london", "to_place": "sydney"},
        ),
    ],
)
def test_moments(text: str, arguments: dict[str, Any]) -> None:
    assert calls(text) == [("date_and_time", arguments)]


@pytest.mark.parametrize(
    ("text", "quantity", "to"),
    [
        ("convert 5 miles to km", "5 miles", "km"),
        ("how many ounces in a pound", "1 pound", "ounces"),
        ("100 f in celsius", "100 f", "celsius"),
        ("How far is 10km in miles?", "10km", "miles"),
        ("how many days is 1000 hours", "1000 hours", "days"),
        ("half a mile in metres", "0.5 mile", "metres"),
        ("how many centimetres are there in 5'11\"", "5'11\"", "centimetres"),
    ],
)
def test_conversions(text: str, quantity: str, to: str) -> None:
    assert calls(text) == [("units", {"quantity": quantity, "to": to})]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ('how many words are in "to be or not"?', "to be or not"),
        ("Count the words in this text: I came, I saw.", "I came, I saw."),
        ("how many letters are in strawberry", "strawberry"),
        ("word count: a " + "b " * 400, ("a " + "b " * 400).strip()),
    ],
)
def test_counting(text: str, counted: str) -> None:
    assert calls(text) == [("text_statistics", {"text": counted})]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("what did I say about the holiday?", "the holiday"),
        ("did I mention the lemon tree?", "the lemon tree"),
        ("find my messages about the budget", "the budget"),
        ("search my conversations for migration", "migration"),
        ("what was the deadline for the report again?", "the deadline for the report"),
    ],
)
def test_memories(text: str, query: str) -> None:
    assert calls(text) == [("search_conversations", {"query": query})]


def test_other_questions_are_looked_up() -> None:
    assert [tool for tool, _ in calls("how do I delete a conversation?")] == ["search_help"]
    assert [tool for tool, _ in calls("when is my dentist appointment?")] == [
        "search_help",
        "search_conversations",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hi", "Hello"),
        ("Thanks!", "welcome"),
        ("who are you", "not a language model"),
        ("what can you do", "arithmetic"),
        ("write me a poem about autumn", "can't answer"),
        ("translate good morning into Spanish", "can't answer"),
        ("???", "can't answer"),
        ("x" * 400, "longer than"),
        ("summarise this conversation", "nothing to summarise"),
    ],
)
def test_said_at_once(text: str, words: str) -> None:
    plan = route(text)
    assert isinstance(plan, Say)
    assert words in plan.text


@pytest.mark.parametrize(
    ("earlier", "text", "call"),
    [
        (
            "time in Tokyo",
            "and in Paris?",
            Call("date_and_time", {"operation": "now", "place": "paris"}),
        ),
        (
            "convert 5 miles to km",
            "and 20 miles?",
            Call("units", {"quantity": "20 miles", "to": "km"}),
        ),
        (
            "convert 5 miles to km",
            "and in metres",
            Call("units", {"quantity": "5 miles", "to": "metres"}),
        ),
        ("2 + 3", "times 2", Call("calculator", {"expression": "(2 + 3) * 2"})),
        (
            "what did I say about Rome?",
            "and about Paris?",
            Call("search_conversations", {"query": "paris"}),
        ),
    ],
)
def test_follow_ups(earlier: str, text: str, call: Call) -> None:
    assert calls(text, earlier) == [(call.tool, call.arguments)]


def test_follow_ups_chain() -> None:
    assert calls("and Rome?", "time in Tokyo", "and in Paris?")[0][1]["place"] == "rome"


def test_follow_up_without_anything_before() -> None:
    assert calls("and in Paris?")[0][0] == "search_help"


def test_summary_takes_the_user_s_own_sentences() -> None:
    turns = [
        Turn("user", "We will spend July in Portugal. What time is it?"),
        Turn("assistant", "It is noon, and I said so."),
        Turn("user", "The flights cost 2,400 euros."),
    ]
    plan = route("tl;dr please", turns)
    assert isinstance(plan, Say)
    assert "- We will spend July in Portugal.\n- The flights cost 2,400 euros." in plan.text
    assert "noon" not in plan.text
    assert "What time" not in plan.text


@settings(max_examples=300)
@given(st.text(max_size=400))
def test_any_text_has_a_plan(text: str) -> None:
    assert isinstance(route(text), Plan)


@pytest.mark.parametrize(
    "text",
    [
        "1" * 300,
        "what is " * 37,
        "a " * 150,
        "how many " * 33,
        "1+" * 149 + "1",
        "thanks " * 42,
        "days until " * 27,
        '"' * 300,
        "time " * 60,
        "what did i say about " * 14,
        ", " * 150,
    ],
)
def test_no_pattern_is_slow(text: str) -> None:
    start = time.thread_time()
    route(text[:300])
    assert time.thread_time() - start < 0.5


@pytest.mark.parametrize(
    "text", ['how many words are in "' + "a " * 16_000 + '"', "count words " * 2_600]
)
def test_long_texts_are_no_slower(text: str) -> None:
    start = time.thread_time()
    route(text)
    assert time.thread_time() - start < 1
