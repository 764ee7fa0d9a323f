from __future__ import annotations

import asyncio

import httpx2
import pytest

from conversations.ai import local_model
from conversations.ai.base import ChatRequest, Event, Finish, Text, ToolCall, ToolSpec, Turn
from conversations.ai.exceptions import NotInstalled
from conversations.ai.local_model import HISTORY, LocalModelBackend, shortened

HELLO = ChatRequest((Turn("user", "Say hello."),), max_output_tokens=8)


async def collect(request: ChatRequest) -> list[Event]:
    backend = LocalModelBackend("local", {"threads": 1})
    return [event async for event in backend.stream(request)]


def test_answers_and_says_what_it_is() -> None:
    events = asyncio.run(collect(HELLO))
    assert any(isinstance(event, Text) for event in events)
    assert isinstance(events[-1], Finish)
    assert "tiny" in LocalModelBackend.label.lower()


def test_two_loops_share_one_server() -> None:
    asyncio.run(collect(HELLO))
    asyncio.run(collect(HELLO))
    assert local_model._started.cache_info().currsize == 1


def test_nobody_else_may_use_the_server() -> None:
    server, url = local_model.start_server(1, api_key="k")
    assert url.startswith("http://127.0.0.1:")
    answer = httpx2.post(f"{url}/v1/chat/completions", json={"messages": []})
    assert answer.status_code == 401
    assert httpx2.get(f"{url}/slots", headers={"Authorization": "Bearer k"}).status_code != 200
    del server


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "find_spec", lambda name: None)
    local_model._started.cache_clear()
    with pytest.raises(NotInstalled):
        asyncio.run(collect(HELLO))
    (found,) = LocalModelBackend("local", {}).check()
    assert found.id == "conversations.E004"


def test_only_what_it_can_read_is_sent() -> None:
    call = ToolCall("c", "t", "{}")
    turns = (
        Turn("user", "old " * HISTORY),
        Turn("assistant", "", (call,)),
        Turn("tool", "1", (), "c"),
        Turn("assistant", "yes"),
        Turn("user", "new"),
    )
    request = shortened(ChatRequest(turns, tools=(ToolSpec("t", "", {}),), max_output_tokens=9999))
    assert [turn.text for turn in request.turns] == ["yes", "new"]
    assert request.tools == ()
    assert request.max_output_tokens == local_model.OUTPUT


def test_one_long_message_is_cut_at_its_beginning() -> None:
    (turn,) = shortened(ChatRequest((Turn("user", "x" * 9000 + "end"),))).turns
    assert len(turn.text) == HISTORY
    assert turn.text.endswith("end")
