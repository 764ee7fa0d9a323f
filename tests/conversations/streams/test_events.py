from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings

from conversations.streams import events, unsaid
from tests.processes import wait_for
from tests.servers import ThrowAwayValkey

ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def server(
    valkey_server: Callable[..., ThrowAwayValkey], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ThrowAwayValkey]:
    server = valkey_server()
    monkeypatch.setattr(settings, "QUEUE_URL", server.url)
    monkeypatch.setattr(unsaid, "EVERY", 0.02)
    events._client.cache_clear()
    yield server
    events._client().close()
    events._client.cache_clear()


def test_a_page_that_is_drawn_while_redis_is_away_has_an_id_too(server: ThrowAwayValkey) -> None:
    server.kill()
    drawn = events.last_event_id(ONE)
    assert drawn.startswith("0-")
    assert not events.has_outlived(drawn)
    assert events.has_outlived("0-1700000000000")


def said(server: ThrowAwayValkey, conversation: uuid.UUID) -> list[bytes]:
    with server.client() as client:
        entries = client.xrange(events.stream_key(conversation))
    return [fields[b"f"] for _, fields in entries]


def test_what_happens_while_redis_is_away_is_announced_when_it_is_back(
    server: ThrowAwayValkey,
) -> None:
    server.kill()
    for number in (1, 2, 2):
        assert not events.announce(ONE, "message", m=number, p=1)
    assert not events.announce(OTHER, "state", m=7)
    server.start()

    assert wait_for(lambda: said(server, OTHER))
    assert said(server, ONE) == [b'message {"m":1,"p":1}', b'message {"m":2,"p":1}']
    assert said(server, OTHER) == [b'state {"m":7}']
    waiting = events._unsaid(events._client())
    assert wait_for(lambda: waiting._thread is None)
    assert waiting._frames == {}


def test_the_last_word_stays_the_last(
    server: ThrowAwayValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsaid, "EVERY", 0.2)
    server.kill()
    for name in ("first", "second", "first"):
        events.announce(ONE, "title", t=name)
    server.start()
    events.announce(ONE, "title", t="third")  # Redis is there, but has not been told of the others

    assert wait_for(lambda: not events._unsaid(events._client()))
    assert said(server, ONE) == [b'title {"t":"%s"}' % t for t in (b"second", b"first", b"third")]


def test_what_is_kept_again_while_it_is_said_is_said_again() -> None:
    told: list[list[unsaid.Frame]] = []

    def say(frames: list[unsaid.Frame]) -> bool:
        if not told:
            waiting.keep(one)
        told.append(frames)
        return True

    one, other = ("key", b"one"), ("key", b"other")
    waiting = unsaid.Unsaid(say)
    waiting._thread = threading.current_thread()
    waiting.keep(one)
    waiting.keep(other)
    waiting._try()

    assert told == [[one, other], [one]]


def test_nothing_is_said_of_a_conversation_that_is_deleted_meanwhile(
    server: ThrowAwayValkey,
) -> None:
    server.kill()
    events.announce(ONE, "title", t="private")
    events.announce(OTHER, "state", m=7)
    assert not events.forget(ONE)
    server.start()

    assert wait_for(lambda: said(server, OTHER))
    assert said(server, ONE) == []


def test_where_all_that_waits_is_dropped_nothing_is_said() -> None:
    def say(frames: list[unsaid.Frame]) -> bool:
        raise AssertionError(frames)

    waiting = unsaid.Unsaid(say)
    waiting._thread = threading.current_thread()
    waiting.keep(("key", b"one"))
    waiting.drop("key")
    waiting._try()

    assert waiting._thread is None


def test_what_waits_to_be_announced_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsaid, "MOST", 3)
    monkeypatch.setattr(unsaid, "EVERY", 0.01)
    monkeypatch.setattr(unsaid, "PATIENCE", 0.05)
    waiting = unsaid.Unsaid(lambda _: False)
    for number in range(9):
        waiting.keep(("key", b"%d" % number))
    assert len(waiting._frames) <= 3
    assert wait_for(lambda: waiting._thread is None)
    assert waiting._frames == {}


def test_where_answers_begin_is_looked_for_among_the_newest_events_alone(
    server: ThrowAwayValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = []
    for kind, message, attempt in [
        ("begin", 7, 1),
        ("begin", 7, 2),
        ("begin", 8, 1),
        ("text", 7, 2),
    ]:
        events.announce(ONE, kind, m=message, a=attempt)
        ids.append(events.last_event_id(ONE))
    last = ids[-1]

    assert events.begun_at(ONE, {7: 1}, last) == ids[0]
    assert events.begun_at(ONE, {7: 2, 8: 1}, last) == ids[1]
    assert events.begun_at(ONE, {7: 2, 8: 1}, ids[0]) == ids[0]
    assert events.begun_at(ONE, {8: 2, 9: 1}, last) == last
    monkeypatch.setattr(events, "RECENT", 2)
    assert events.begun_at(ONE, {7: 1, 8: 1}, last) == ids[2]
    server.kill()
    assert events.begun_at(ONE, {7: 1}, last) == last


def test_redis_is_not_asked_where_a_page_that_saw_no_frame_begins(server: ThrowAwayValkey) -> None:
    last = events.before_all()
    assert events.begun_at(ONE, {7: 1}, last) == last
    with server.client() as client:
        assert "cmdstat_xrevrange" not in client.info("commandstats")
