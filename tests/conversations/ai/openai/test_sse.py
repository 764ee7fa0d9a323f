from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.ai.exceptions import MalformedAnswer
from conversations.ai.openai.sse import MAX_LINE, EventStream

AWKWARD = (
    "\ufeff: keep-alive\r\n\r\n"
    'data: {"a": "höflich 🦉"}\r\n\r\n'
    "event: message\ndata:no space\nid: 7\n\n"
    "data: first\rdata: second\r\r"
    "data\n\n"
    "retry: 5\n\n"
    "data: [DONE]\r\n\r\n"
).encode()
EXPECTED = ['{"a": "höflich 🦉"}', "no space", "first\nsecond", "", "[DONE]"]


def read(*chunks: bytes) -> list[str]:
    stream = EventStream()
    events = [event for chunk in chunks for event in stream.feed(chunk)]
    return events + stream.close()


def test_whole() -> None:
    assert read(AWKWARD) == EXPECTED


def test_cut_at_every_byte() -> None:
    for position in range(len(AWKWARD) + 1):
        assert read(AWKWARD[:position], AWKWARD[position:]) == EXPECTED, position


def test_one_byte_at_a_time() -> None:
    assert read(*(bytes([byte]) for byte in AWKWARD)) == EXPECTED


@given(
    st.lists(st.text(st.characters(blacklist_characters="\r\n", codec="utf-8")), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
def test_any_text_survives_any_cuts(texts: list[str], newline: str, data: st.DataObject) -> None:
    body = "".join(f"data: {text}{newline}: c{newline}{newline}" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    edges = [0, *cuts, len(body)]
    chunks = [body[start:end] for start, end in itertools.pairwise(edges)]
    assert read(*chunks) == texts


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_garbage_is_read_the_same_however_it_is_cut(chunks: list[bytes]) -> None:
    assert read(*chunks) == read(b"".join(chunks))


def test_invalid_utf_8_is_replaced() -> None:
    assert read(b"data: a\xff\xfeb\n\n") == ["a\ufffd\ufffdb"]


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert read(b"data: [DONE]") == ["[DONE]"]


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="line too long"):
        read(*[b"x" * 65_536] * (MAX_LINE // 65_536 + 1))


def test_an_event_of_many_lines_is_bounded_too() -> None:
    with pytest.raises(MalformedAnswer, match="event too long"):
        read(*[b"data: " + b"x" * 1000 + b"\n"] * (MAX_LINE // 1000 + 1))
