from __future__ import annotations

import asyncio

import pytest

from conversations.ai import titles
from conversations.ai.base import ChatBackend, ChatRequest, Finish, Text


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Hello, can you tell me how do I make a *raclette*?", "Make a raclette"),
        ("What is the capital of France? And of Spain?", "Capital of France"),
        ("What is 17.5% of 240?", "17.5% of 240"),
        ("please convert 5 miles to km", "Convert 5 miles to km"),
        ("Hello", "Hello"),
        ("hi, ok?", "Hi, ok?"),
        ("What is love?", "Love"),
        ("What is it?", "What is it?"),
        ("a" * 100, "A" + "a" * 58 + "…"),
        ("  Two\n lines ", "Two lines"),
        ("", ""),
    ],
)
def test_a_title_out_of_a_question(question: str, title: str) -> None:
    assert titles.from_question(question) == title


@pytest.mark.parametrize(
    ("proposed", "title"),
    [
        ('"Soft cheese"\n\nBecause it is about cheese.', "Soft cheese"),
        ("Title: **Soft cheese**", "Soft cheese"),
        ("\n\n", ""),
    ],
)
def test_a_model_is_asked_for_one(proposed: str, title: str) -> None:
    class Model(ChatBackend):
        seen: ChatRequest

        async def stream(self, request: ChatRequest):  # type: ignore[no-untyped-def,override]
            self.seen = request
            yield Text(proposed)
            yield Finish("stop")

    model = Model("default", {})
    assert asyncio.run(model.title("Which cheese?", "Brie.")) == title
    assert [turn.text for turn in model.seen.turns] == ["Which cheese?", "Brie.", titles.REQUEST]
