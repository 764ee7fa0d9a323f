from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from conversations import tools
from conversations.help import help_passages
from conversations.tools import ToolContext

CONTEXT = ToolContext(user_id=1, conversation_id="")

pytestmark = pytest.mark.django_db


def search(query: str) -> list[dict[str, Any]]:
    result = async_to_sync(tools.run)("search_help", json.dumps({"query": query}), CONTEXT)
    assert not result.error
    passages: list[dict[str, Any]] = result.value["passages"]
    return passages


def test_every_passage_is_found_by_its_own_questions() -> None:
    for passage in help_passages():
        found = search(passage.questions[0])
        near = [one["url"] for one in found if found[0]["score"] - one["score"] < 0.06]
        assert passage.url in near, passage.url
        assert found[0]["is_match"], passage.url


@pytest.mark.parametrize(
    "query",
    [
        "how do I delete a file in Linux",
        "reset my router",
        "the weather",
        "asdf",
        "?",
        "'; DROP & | !",
        "\u20ac",
    ],
)
def test_what_the_help_does_not_answer(query: str) -> None:
    assert not any(one["is_match"] for one in search(query))


def test_the_query_is_bounded() -> None:
    result = asyncio.run(tools.run("search_help", json.dumps({"query": "x" * 501}), CONTEXT))
    assert "500" in result.error
