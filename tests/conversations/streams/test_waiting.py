"""Places in the queue reach those who wait, at one command a second for all of them and no query."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from conversations.models import Reply, Status
from conversations.streams import hub, open_stream, waiting
from conversations.tasks import sweep_replies
from tests.conversations.streams.test_app import cookie_of, following, run
from tests.factories import ReplyFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("queue_redis", "cache_redis"),
]


@pytest.fixture
def queue() -> list[Reply]:
    """Three that wait, the first of them longest; a fourth that no queue has taken, a fifth that is over."""
    now = timezone.now()
    replies = [
        ReplyFactory(pending_since=now - timedelta(seconds=9 - number), enqueued_at=now)
        for number in range(3)
    ]
    ReplyFactory(pending_since=now - timedelta(hours=1), enqueued_at=None)
    Reply.objects.filter(enqueued_at=None).update(enqueued_at=None)
    ReplyFactory(status=Status.COMPLETE)
    return replies


def places(browser: Any, reply: Reply) -> list[int]:
    return [
        data["n"]
        for _, kind, data in browser.events
        if kind == "ahead" and data["m"] == reply.message_id
    ]


async def told(browser: Any, reply: Reply, ahead: int) -> None:
    async with asyncio.timeout(5):
        while places(browser, reply)[-1:] != [ahead]:
            await asyncio.sleep(0.01)


def test_the_sweeper_writes_who_waits(queue: list[Reply], queue_redis: redis.Redis) -> None:
    sweep_replies.func()
    known = [entry.decode() for entry in queue_redis.zrange(waiting.KEY, 0, -1)]
    wanted = [
        waiting.member(f"events:{reply.message.conversation_id}", reply.message_id)
        for reply in queue
    ]
    assert [one for one in known if one in wanted] == wanted
    assert 0 < queue_redis.ttl(waiting.KEY) <= waiting.LIFE
    Reply.objects.update(status=Status.STOPPED)
    sweep_replies.func()
    assert not queue_redis.exists(waiting.KEY)


def test_a_place_moves_before_the_readers_eyes(
    queue: list[Reply], monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(hub, "PLACES", 0.05)
    waiting.keep([(r.message.conversation_id, r.message_id, r.pending_since) for r in queue])
    first, _, last = queue
    cookie = cookie_of(last.message.conversation.user)

    async def scenario() -> None:
        async with following(last.message.conversation_id, cookie) as browser:
            await told(browser, last, 2)
            # What a worker begins leaves the queue at once.
            async with open_stream(
                first.message.conversation_id, first.message_id, 1, lambda: None
            ):
                await told(browser, last, 1)
            assert places(browser, first) == []  # nobody hears of another's
            assert [event_id for event_id, kind, _ in browser.events if kind == "ahead"] == ["", ""]

    run(scenario)


def test_a_thousand_who_wait_cost_one_command_a_second_and_no_query(
    queue: list[Reply],
    queue_redis: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    monkeypatch.setattr(hub, "PLACES", 0.05)
    reply = queue[0]
    key = f"events:{reply.message.conversation_id}"
    waiting.keep([(reply.message.conversation_id, reply.message_id, reply.pending_since)])

    def asked() -> int:
        found: dict[str, Any] = queue_redis.info("commandstats")
        return int(found.get("cmdstat_zrange", {"calls": 0})["calls"])

    async def scenario() -> None:
        central = hub.current_hub()
        async with central.follow(key):
            others = [hub.Mailbox() for _ in range(1000)]
            central._mailboxes[key].update(others)
            before, began = asked(), asyncio.get_running_loop().time()
            async with asyncio.timeout(5):
                while not all(box._frames for box in others):
                    await asyncio.sleep(0.01)
            lasted = asyncio.get_running_loop().time() - began
            assert asked() - before <= lasted / hub.PLACES + 2
            # Told once while nothing changes, however often the queue is looked at.
            await asyncio.sleep(0.2)
            assert {len(box._frames) for box in others} == {1}
            central._mailboxes[key].difference_update(others)

    with django_assert_num_queries(0):
        run(scenario)


def test_a_place_is_told_again_so_that_no_browser_asks() -> None:
    box = hub.Mailbox()
    for now in (0.0, 1.0, hub.REPEAT + 0.5, hub.REPEAT + 1):
        box.place(7, 3, now)
    assert len(box._frames) == 2


def test_without_redis_nothing_breaks(queue: list[Reply], settings: Any) -> None:
    from conversations.streams import events

    settings.QUEUE_URL = "redis://127.0.0.1:1/0"
    events._client.cache_clear()
    try:
        assert waiting.keep([(queue[0].message.conversation_id, 1, timezone.now())]) is False
    finally:
        events._client.cache_clear()
