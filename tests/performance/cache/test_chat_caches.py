"""The caches of the chat: who may see what, and when it is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as site
from django.db import connection, transaction

from performance.cache import (
    Namespace,
    ToolCall,
    ai_response_cache,
    conversation_cache,
    tool_result_cache,
)
from performance.cache.engine import close_engines
from performance.cache.transport import Node

PAGE = [{"id": 1, "text": "hello"}]
FROZEN = ({"id": 1, "text": "hello"},)


@pytest.fixture(autouse=True)
def backend(settings: Any, cache_redis: redis.Redis) -> Any:
    place = {"BACKEND": "performance.cache.backends.TieredCache", "LOCATION": site.CACHE_URL}
    aliases = ("default", "conversations", "ai_responses", "tool_results")
    settings.CACHES = {alias: {**place, "KEY_PREFIX": alias} for alias in aliases}
    yield
    close_engines()


@pytest.mark.django_db(transaction=True)
class TestConversations:
    def test_a_page_is_loaded_once(self) -> None:
        calls: list[int] = []
        for _ in range(3):
            found = conversation_cache.remember(1, lambda: calls.append(1) or PAGE, "c1", page="p")
            assert found == FROZEN
        assert len(calls) == 1
        assert conversation_cache.get(1, "c1", "p") == FROZEN

    def test_nobody_sees_the_page_of_another(self) -> None:
        conversation_cache.set(1, PAGE, "c1")
        assert conversation_cache.get(2, "c1") is None
        assert conversation_cache.get(1, "c2") is None
        assert conversation_cache.get(1) is None
        assert conversation_cache.get(11, "c1") is None

    def test_a_change_forgets_its_conversation_and_the_list(self) -> None:
        conversation_cache.set(1, PAGE, "c1", page="a")
        conversation_cache.set(1, PAGE, "c1", page="b")
        conversation_cache.set(1, PAGE, "c2")
        conversation_cache.set(1, PAGE)
        conversation_cache.set(2, PAGE)
        conversation_cache.forget(1, "c1")
        assert conversation_cache.get(1, "c1", "a") is None
        assert conversation_cache.get(1, "c1", "b") is None
        assert conversation_cache.get(1) is None
        assert conversation_cache.get(1, "c2") == FROZEN
        assert conversation_cache.get(2) == FROZEN

    @pytest.mark.parametrize("together", [True, False])
    def test_the_list_is_forgotten_after_its_conversation(
        self, monkeypatch: pytest.MonkeyPatch, together: bool
    ) -> None:
        """Whole pages stand under the list's number: none may be made of what is yet to be forgotten."""
        sent: list[str] = []
        run = Node.run

        def run_and_note(node: Node, commands: Sequence[Any]) -> list[Any]:
            sent.extend(command[1] for command in commands if command[0] == "SET")
            return run(node, commands)

        conversation_cache.set(1, PAGE, "c1")
        conversation_cache.set(1, PAGE)
        monkeypatch.setattr(Node, "run", run_and_note)
        with transaction.atomic() if together else nullcontext():
            conversation_cache.forget(1, "c1")
        assert [name.rpartition("generation:")[2] for name in sent] == [
            "conversation:1:c1",
            "conversations:1:list",
        ]
        assert conversation_cache.get(1, "c1") is conversation_cache.get(1) is None

    def test_a_hook_that_raises_does_not_keep_what_changed(self) -> None:
        def broken() -> None:
            raise ConnectionError("the queue is away")

        @transaction.atomic
        def change() -> None:
            transaction.on_commit(broken)
            conversation_cache.forget(1, "c1")

        conversation_cache.set(1, PAGE, "c1")
        conversation_cache.set(1, PAGE)
        with pytest.raises(ConnectionError):
            change()
        assert conversation_cache.get(1, "c1") is None
        assert conversation_cache.get(1) is None

    def test_everything_of_a_user(self) -> None:
        conversation_cache.set(1, PAGE, "c1")
        conversation_cache.set(1, PAGE)
        conversation_cache.set(2, PAGE, "c3")
        conversation_cache.forget(1)
        assert conversation_cache.get(1, "c1") is None
        assert conversation_cache.get(1) is None
        assert conversation_cache.get(2, "c3") == FROZEN
        conversation_cache.clear()
        assert conversation_cache.get(2, "c3") is None

    def test_it_forgets_when_the_change_commits(self) -> None:
        conversation_cache.set(1, PAGE, "c1")
        with transaction.atomic():
            conversation_cache.forget(1, "c1")
            assert conversation_cache.get(1, "c1") == FROZEN
        assert conversation_cache.get(1, "c1") is None

    def test_a_change_that_is_rolled_back_forgets_nothing(self) -> None:
        conversation_cache.set(1, PAGE, "c1")
        with transaction.atomic():
            conversation_cache.forget(1, "c1")
            transaction.set_rollback(True)
        assert conversation_cache.get(1, "c1") == FROZEN

    @pytest.mark.parametrize("order", ["inner first", "outer first"])
    def test_it_forgets_once_whatever_savepoint_is_rolled_back(self, order: str) -> None:
        def undone() -> None:
            with transaction.atomic():
                conversation_cache.forget(1, "c1")
                transaction.set_rollback(True)

        conversation_cache.set(1, PAGE, "c1")
        with transaction.atomic():
            if order == "inner first":
                undone()
            for _ in range(2):
                conversation_cache.forget(1, "c1")
            undone()
            assert len(connection.run_on_commit) == 1
        assert conversation_cache.get(1, "c1") is None

    def test_a_thousand_changes_are_one_hook(self) -> None:
        names = [f"c{number}" for number in range(1000)]
        for name in (names[0], names[-1]):
            conversation_cache.set(1, PAGE, name)
        with transaction.atomic():
            for name in names:
                conversation_cache.forget(1, name)
            assert len(connection.run_on_commit) == 1
        assert conversation_cache.get(1, names[0]) is None
        assert conversation_cache.get(1, names[-1]) is None

    def test_a_cache_that_fails_loudly_keeps_no_change_from_its_other_hooks(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_args: object) -> None:
            raise ConnectionError("the cache is away")

        done: list[int] = []
        monkeypatch.setattr(Namespace, "clear", broken)
        with transaction.atomic():
            transaction.on_commit(lambda: done.append(1))
            conversation_cache.forget(1, "c1")
        assert done == [1]

    def test_a_page_loaded_before_a_commit_is_not_shown_after_it(self) -> None:
        def load() -> list[dict[str, Any]]:
            conversation_cache.forget(1, "c1")  # another process commits a change meanwhile
            return PAGE

        conversation_cache.remember(1, load, "c1")
        assert conversation_cache.get(1, "c1") is None

    @pytest.mark.parametrize("key", ["ENABLED", "CONVERSATIONS"])
    def test_switched_off(self, settings: Any, key: str) -> None:
        settings.PERFORMANCE = {"CACHE": {key: False}}
        conversation_cache.set(1, PAGE)
        calls: list[int] = []
        for _ in range(2):
            assert conversation_cache.remember(1, lambda: calls.append(1) or PAGE) == FROZEN
        assert (conversation_cache.get(1), len(calls)) == (None, 2)

    def test_async(self) -> None:
        async def load() -> list[dict[str, Any]]:
            return PAGE

        async def scenario() -> tuple[Any, ...]:
            first = await conversation_cache.aremember(1, load, "c1")
            await conversation_cache.aset(1, PAGE)
            seen = await conversation_cache.aget(1, "c1"), await conversation_cache.aget(1)
            await conversation_cache.aforget(1, "c1")
            gone = await conversation_cache.aget(1, "c1"), await conversation_cache.aget(1)
            await conversation_cache.aset(1, PAGE)
            await conversation_cache.aclear()
            return first, seen, gone, await conversation_cache.aget(1)

        assert asyncio.run(scenario()) == (FROZEN, (FROZEN, FROZEN), (None, None), None)


QUESTION: dict[str, Any] = {
    "backend": "default", "model": "m", "system": "be brief", "tools": {"add": "1"}, "options": {"temperature": 0},
    "messages": [{"role": "user", "text": "hello"}],
}  # fmt: skip


class TestAIResponses:
    def test_the_same_question_has_the_same_key(self) -> None:
        key = ai_response_cache.key(**QUESTION)
        spaced = {**QUESTION, "messages": [{"text": " hello\n", "role": "user"}]}
        assert ai_response_cache.key(**spaced) == key

    @pytest.mark.parametrize(
        "other",
        [
            {"backend": "b"}, {"model": "n"}, {"system": ""}, {"tools": {"add": "2"}}, {"tools": {}},
            {"options": {"temperature": 1}}, {"messages": [{"role": "assistant", "text": "hello"}]},
            {"messages": [{"role": "user", "text": "Hello"}]}, {"messages": QUESTION["messages"] * 2},
        ],
    )  # fmt: skip
    def test_another_question_has_another(self, other: dict[str, Any]) -> None:
        assert ai_response_cache.key(**{**QUESTION, **other}) != ai_response_cache.key(**QUESTION)

    def test_it_says_how_old_an_answer_is(self) -> None:
        key = ai_response_cache.key(**QUESTION)
        assert ai_response_cache.set(key, {"text": "hi"}, user=1, complete=True, deterministic=True)
        found = ai_response_cache.get(key, user=1)
        assert found
        assert found.value == {"text": "hi"}
        assert timedelta(0) <= found.age < timedelta(seconds=5)

    def test_an_answer_is_its_users(self) -> None:
        key = ai_response_cache.key(**QUESTION)
        ai_response_cache.set(key, "for 1", user=1, complete=True, deterministic=True)
        assert ai_response_cache.get(key, user=2) is None
        assert ai_response_cache.get(key) is None
        ai_response_cache.set(key, "for all", complete=True, deterministic=True)
        found = ai_response_cache.get(key)
        assert found
        assert found.value == "for all"

    @pytest.mark.parametrize(
        ("complete", "deterministic"), [(True, False), (False, True), (False, False)]
    )
    def test_what_is_not_to_be_repeated_is_not_stored(
        self, complete: bool, deterministic: bool
    ) -> None:
        assert not ai_response_cache.set("k", "x", complete=complete, deterministic=deterministic)
        assert ai_response_cache.get("k") is None

    def test_forget_and_clear(self) -> None:
        for user in (1, 2):
            ai_response_cache.set("k", "x", user=user, complete=True, deterministic=True)
        ai_response_cache.forget("k", user=1)
        assert ai_response_cache.get("k", user=1) is None
        assert ai_response_cache.get("k", user=2) is not None
        ai_response_cache.clear(user=2)
        assert ai_response_cache.get("k", user=2) is None
        ai_response_cache.set("k", "x", complete=True, deterministic=True)
        ai_response_cache.clear()
        assert ai_response_cache.get("k") is None

    def test_switched_off(self, settings: Any) -> None:
        settings.PERFORMANCE = {"CACHE": {"AI_RESPONSES": False}}
        assert not ai_response_cache.set("k", "x", complete=True, deterministic=True)

    def test_async(self) -> None:
        async def scenario() -> tuple[Any, ...]:
            await ai_response_cache.aset("k", "x", user=1, complete=True, deterministic=True)
            refused = await ai_response_cache.aset("l", "x", complete=False, deterministic=True)
            found = await ai_response_cache.aget("k", user=1)
            await ai_response_cache.aforget("k", user=1)
            gone = await ai_response_cache.aget("k", user=1)
            await ai_response_cache.aset("k", "x", user=1, complete=True, deterministic=True)
            await ai_response_cache.aclear(user=1)
            assert found
            return found.value, refused, gone, await ai_response_cache.aget("k", user=1)

        assert asyncio.run(scenario()) == ("x", False, None, None)


class TestToolResults:
    def test_arguments_in_any_order(self) -> None:
        tool_result_cache.set(ToolCall("t", 1, {"a": 1, "b": {"x": 1, "y": 2}}), 7, ttl=60)
        found = tool_result_cache.get(ToolCall("t", 1, {"b": {"y": 2, "x": 1}, "a": 1}))
        assert found
        assert (found.value, found.is_error) == (7, False)

    @pytest.mark.parametrize(
        "other",
        [
            ToolCall("u", 1, {"a": 1}), ToolCall("t", 2, {"a": 1}), ToolCall("t", 1, {"a": "1"}),
            ToolCall("t", 1, {"a": True}), ToolCall("t", 1, {"a": 1.0}), ToolCall("t", 1, {"a": 1}, user=1),
        ],
    )  # fmt: skip
    def test_another_call_has_another_result(self, other: ToolCall) -> None:
        tool_result_cache.set(ToolCall("t", 1, {"a": 1}), 7, ttl=60)
        assert tool_result_cache.get(other) is None

    def test_one_run_for_all(self) -> None:
        call, runs = ToolCall("t", 1, {}), []
        for _ in range(2):
            assert (
                tool_result_cache.remember(call, lambda: runs.append(1) or "r", ttl=60).value == "r"
            )
        assert len(runs) == 1
        tool_result_cache.remember(call, lambda: runs.append(1), ttl=0)
        assert len(runs) == 2

    def test_errors_where_the_tool_says_so(self) -> None:
        call = ToolCall("t", 1, {})
        tool_result_cache.set(call, "no such place", ttl=5, is_error=True)
        found = tool_result_cache.get(call)
        assert found
        assert found.is_error
        assert not tool_result_cache.set(call, "x", ttl=0)

    def test_forget_and_clear(self) -> None:
        first, second, other = (
            ToolCall("t", 1, {}),
            ToolCall("t", 1, {"a": 1}),
            ToolCall("u", 1, {}),
        )
        for call in (first, second, other):
            tool_result_cache.set(call, 1, ttl=60)
        tool_result_cache.forget(first)
        assert tool_result_cache.get(first) is None
        assert tool_result_cache.get(second) is not None
        tool_result_cache.clear("t")
        assert tool_result_cache.get(second) is None
        assert tool_result_cache.get(other) is not None
        tool_result_cache.clear()
        assert tool_result_cache.get(other) is None

    def test_async(self) -> None:
        async def run() -> str:
            return "r"

        async def scenario() -> tuple[Any, ...]:
            call = ToolCall("t", 1, {}, user=3)
            first = await tool_result_cache.aremember(call, run, ttl=60)
            found = await tool_result_cache.aget(call)
            await tool_result_cache.aforget(call)
            stored = await tool_result_cache.aset(call, "s", ttl=60)
            await tool_result_cache.aclear("t")
            return first.value, found == first, stored, await tool_result_cache.aget(call)

        assert asyncio.run(scenario()) == ("r", True, True, None)
