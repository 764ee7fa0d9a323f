from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ai.base import Event, Finish, Reasoning, Text, ToolCall, Usage
from conversations.ai.exceptions import (
    BackendOverloaded,
    ChatBackendError,
    ContextTooLong,
    MalformedAnswer,
    RateLimited,
    StreamInterrupted,
)
from conversations.ai.openai.chunks import MAX_TOOL_CALLS, Answer


def play(*chunks: Any) -> list[Event]:
    answer = Answer()
    events: list[Event] = []
    for chunk in chunks:
        events += answer.take(chunk if isinstance(chunk, str) else json.dumps(chunk))
    return events + list(answer.end())


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def call(index: int | None, **function: Any) -> dict[str, Any]:
    call_id = function.pop("id", None)
    return {"index": index, "id": call_id, "function": function}


END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def test_text_usage_and_finish() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "x": {}}}
    events = play(delta(role="assistant", content=""), delta(content="Hi"), END, usage, "[DONE]")
    assert events == [Text("Hi"), Usage(3, 2), Finish("stop")]


def test_reasoning_goes_by_either_name() -> None:
    events = play(delta(reasoning="a"), delta(reasoning_content="b"), END)
    assert events == [Reasoning("a"), Reasoning("b"), Finish("stop")]


def test_content_may_be_a_list_of_parts() -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Hi"}]
    assert play(delta(content=parts), END)[0] == Text("Hi")


def test_an_answer_that_was_not_streamed() -> None:
    whole = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    assert play(whole) == [Text("Hi"), Finish("stop")]


def test_tool_calls_are_keyed_by_index() -> None:
    events = play(
        delta(tool_calls=[call(1, id="b", name="two", arguments="")]),
        delta(tool_calls=[call(0, id="a", name="one", arguments='{"x"')]),
        delta(tool_calls=[call(1, arguments="{}"), call(0, arguments=": 1}")]),
        END,
    )
    assert events[:2] == [ToolCall("a", "one", '{"x": 1}'), ToolCall("b", "two", "{}")]


@pytest.mark.parametrize("repeats_name", [True, False])
def test_tool_calls_without_index_or_id(repeats_name: bool) -> None:
    name = {"name": "one"} if repeats_name else {}
    events = play(
        delta(tool_calls=[call(None, name="one", arguments="{")]),
        delta(tool_calls=[call(None, arguments="}", **name)]),
        END,
    )
    assert events[0] == ToolCall("call_0", "one", "{}")


def test_without_index_a_new_id_is_a_new_call() -> None:
    events = play(
        delta(tool_calls=[call(None, id="a", name="one", arguments={"x": 1})]),
        delta(tool_calls=[call(None, id="b", name="two")]),
        END,
    )
    assert events[:2] == [ToolCall("a", "one", '{"x":1}'), ToolCall("b", "two", "{}")]


def test_tool_calls_are_bounded() -> None:
    calls = [call(index, name="x") for index in range(MAX_TOOL_CALLS + 1)]
    with pytest.raises(MalformedAnswer):
        play(delta(tool_calls=calls))


def test_done_is_enough_of_an_end() -> None:
    assert play(delta(content="Hi"), "[DONE]")[-1] == Finish("stop")


def test_half_an_answer_is_not_taken_for_a_whole() -> None:
    with pytest.raises(StreamInterrupted):
        play(delta(content="Hi"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "slow down", "code": "rate_limit_exceeded"}, RateLimited),
        ({"message": "slow down", "code": 429}, RateLimited),
        ({"message": "This model's maximum context length is 9", "type": "x"}, ContextTooLong),
        ("boom", BackendOverloaded),
    ],
)
def test_errors_inside_the_stream(error: Any, kind: type[ChatBackendError]) -> None:
    with pytest.raises(kind) as caught:
        play({"error": error})
    assert "slow down" not in str(caught.value)


@pytest.mark.parametrize("data", ["{", "[]", "null", '{"choices": 3}', '"\\ud800"', "1"])
def test_nonsense_is_malformed(data: str) -> None:
    with pytest.raises(MalformedAnswer):
        play(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "content", "tool_calls", "index", "function", "usage", "error"]
            ),
            children,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_json_raises_anything_but_named_errors(value: Any) -> None:
    with contextlib.suppress(ChatBackendError):
        play(json.dumps(value))
