from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import pytest
from asgiref.sync import async_to_sync
from hypothesis import given
from hypothesis import strategies as st

from conversations import markdown, streams
from conversations.streams import unsaid, writer
from conversations.streams.events import stream_key
from conversations.streams.reply import KEPT, ReplyStream, utf16_length
from tests.processes import wait_for

CONVERSATION = uuid.UUID(int=7)


def decoded(frames: list[bytes]) -> list[tuple[str, dict[str, Any]]]:
    pairs = (frame.partition(b" ") for frame in frames)
    return [(kind.decode(), msgspec.json.decode(data)) for kind, _, data in pairs]


def new_stream() -> ReplyStream:
    return ReplyStream(CONVERSATION, 5, 1, lambda: None)


def test_text_between_two_ticks_is_one_frame() -> None:
    stream = new_stream()
    stream.text("Hel")
    stream.text("lo")

    assert decoded(stream.take_frames()) == [
        ("begin", {"m": 5, "a": 1, "c": ""}),
        ("text", {"m": 5, "a": 1, "o": 0, "t": "Hello"}),
    ]
    assert stream.take_frames() == []


def test_a_tool_frame_stands_after_the_text_before_it() -> None:
    stream = new_stream()
    stream.text("Let me see. ")
    stream.tool(1, "calculate", "running")

    assert [kind for kind, _ in decoded(stream.take_frames())] == ["begin", "text", "tool"]


@given(
    st.lists(
        st.sampled_from(["a", "é", "😀", "\n\n", "word ", "- x\n", "```\n", "# h\n"]), max_size=30
    )
)
def test_a_browser_rebuilds_the_text_from_offsets(pieces: list[str]) -> None:
    stream = new_stream()
    seen = b""  # as UTF-16, two bytes a unit, like a JavaScript string
    closed = 0
    for piece in pieces:
        stream.text(piece)
        for kind, data in decoded(stream.take_frames()):
            if kind == "text":
                assert data["o"] == len(seen) // 2
                seen += data["t"].encode("utf-16-le")
            elif kind == "block":
                block = seen[closed * 2 : data["o"] * 2].decode("utf-16-le")
                assert data["h"] == markdown.render(block)
                closed = data["o"]

    assert seen.decode("utf-16-le") == "".join(pieces)


def test_offsets_count_as_javascript_does() -> None:
    assert [utf16_length(text) for text in ("", "a", "é", "😀")] == [0, 1, 1, 2]


def test_frames_reach_redis_with_an_expiry(queue_redis: Any) -> None:
    async def scenario() -> str:
        async with streams.open_stream(CONVERSATION, 5, 1, lambda: None) as (stream, _):
            stream.text("Hello")
            stream.done("complete")
        return stream.start_id

    start_id = async_to_sync(scenario)()

    entries = queue_redis.xrange(stream_key(CONVERSATION))
    assert [kind for kind, _ in decoded([fields[b"f"] for _, fields in entries])] == [
        "begin",
        "text",
        "done",
    ]
    assert entries[0][0].decode() == start_id
    assert 0 < queue_redis.ttl(stream_key(CONVERSATION)) <= 3600


def test_a_hundred_streams_cost_one_round_trip_a_tick(valkey_server: Any, settings: Any) -> None:
    server = valkey_server()  # of its own: the counts are the whole server's
    settings.QUEUE_URL = server.url

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(100):
                group.create_task(one(number))

    async def one(number: int) -> None:
        async with streams.open_stream(CONVERSATION, number, 1, lambda: None) as (stream, _):
            for _ in range(4):
                stream.text("word ")
                await asyncio.sleep(0.1)

    async_to_sync(scenario)()

    with server.client() as client:
        stats = client.info("commandstats")
    calls = sum(
        stats[name]["calls"] for name in stats if name in {"cmdstat_evalsha", "cmdstat_eval"}
    )
    # 0.4 s of ticks, and at most one closing write for each of the hundred.
    assert calls <= 100 + 25


def test_stop_is_seen_within_a_tick(queue_redis: Any) -> None:
    async def scenario() -> None:
        stopped = asyncio.Event()
        async with streams.open_stream(CONVERSATION, 5, 2, stopped.set) as (stream, _):
            await asyncio.to_thread(streams.request_stop, 5, 1)  # of an older attempt
            await asyncio.sleep(0.3)
            assert not stream.stopped
            await asyncio.to_thread(streams.request_stop, 5, 2)
            async with asyncio.timeout(1):
                await stopped.wait()

    async_to_sync(scenario)()


def test_a_redis_that_is_away_does_not_break_the_reply(
    settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PARTING", 0.1)
    settings.QUEUE_URL = "unix:///nowhere/queue.sock"

    async def scenario() -> None:
        async with streams.open_stream(CONVERSATION, 5, 1, lambda: None) as (stream, _):
            for _ in range(3):
                stream.text("word ")
                await asyncio.sleep(0.1)

    async_to_sync(scenario)()
    assert sum("stream_unavailable" in record.getMessage() for record in caplog.records) == 1


def test_a_restart_of_redis_leaves_no_gap(valkey_server: Any, settings: Any) -> None:
    server = valkey_server("--appendonly", "yes")
    settings.QUEUE_URL = server.url

    async def scenario() -> None:
        async with streams.open_stream(CONVERSATION, 5, 1, lambda: None) as (stream, out):
            stream.text("Once ")
            await out.flush()
            await asyncio.to_thread(server.kill)
            for piece in ("upon ", "a "):
                stream.text(piece)
                await out.flush()
            await asyncio.to_thread(server.start)
            stream.text("time")
            stream.done("complete")
        counted.append(stream.made())

    counted: list[int] = []
    async_to_sync(scenario)()

    with server.client() as client:
        entries = client.xrange(stream_key(CONVERSATION))
    assert counted == [len(entries)]
    kinds = decoded([fields[b"f"] for _, fields in entries])
    assert [kind for kind, _ in kinds] == ["begin", "text", "text", "text", "text", "done"]
    assert "".join(data.get("t", "") for _, data in kinds) == "Once upon a time"


def test_replies_that_end_do_not_wait_in_a_row_for_a_redis_that_hangs(
    valkey_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PARTING", 0.2)
    server = valkey_server()
    settings.QUEUE_URL = server.url

    async def scenario() -> None:
        async with asyncio.timeout(8), asyncio.TaskGroup() as group:
            for number in range(6):  # for which Redis has two seconds each
                group.create_task(one(number))

    async def one(number: int) -> None:
        async with streams.open_stream(CONVERSATION, number, 1, lambda: None) as (stream, out):
            stream.text("Hello")
            await out.push()

    server.freeze()
    try:
        async_to_sync(scenario)()
    finally:
        server.thaw()


def test_what_nobody_waits_for_any_more_is_written_in_its_order(
    valkey_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = valkey_server()
    settings.QUEUE_URL = server.url

    async def scenario() -> None:
        async with streams.open_stream(CONVERSATION, 5, 1, lambda: None) as (stream, out):
            stream.text("Once ")
            with monkeypatch.context() as patch:
                patch.setattr(writer, "PARTING", 0.2)
                await out.push()
            stream.text("more")
            await asyncio.to_thread(server.thaw)
            await out.flush()

    server.freeze()
    async_to_sync(scenario)()

    with server.client() as client:
        entries = client.xrange(stream_key(CONVERSATION))
    kinds = decoded([fields[b"f"] for _, fields in entries])
    assert [kind for kind, _ in kinds] == ["begin", "text", "text"]
    assert "".join(data.get("t", "") for _, data in kinds) == "Once more"


def test_what_waits_for_redis_is_bounded() -> None:
    stream = new_stream()
    for number in range(2 * KEPT):
        stream.text(f"{number} ")
        for frame in reversed(stream.take_frames()):
            stream.give_back(frame)
    assert len(stream.take_frames()) <= KEPT + 1


@pytest.mark.parametrize("name", ["announce", "request_stop"])
def test_a_page_does_not_break_either(
    name: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conversations.streams import events

    settings.QUEUE_URL = "unix:///nowhere/queue.sock"
    monkeypatch.setattr(unsaid, "EVERY", 0.01)
    monkeypatch.setattr(unsaid, "PATIENCE", 0.02)
    events._client.cache_clear()
    arguments: dict[str, list[Any]] = {
        "announce": [CONVERSATION, "message"],
        "request_stop": [5, 1],
    }
    try:
        assert not getattr(streams, name)(*arguments[name])
        waiting = events._unsaid(events._client())
        assert wait_for(lambda: waiting._thread is None)
    finally:
        events._client.cache_clear()
