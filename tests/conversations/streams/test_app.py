from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta
from typing import Any

import pytest
import redis
import time_machine
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from chatsite.sessions import SessionStore
from conversations import streams
from conversations.models import Conversation
from conversations.streams import app, hub, line
from conversations.streams.events import RIGHTS, stream_key
from conversations.streams.tally import Tally
from performance import metrics
from tests.factories import ConversationFactory, UserFactory
from tests.performance.metrics.stored import found

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("queue_redis")]


class Browser:
    """One EventSource: what has come so far, and what it would send when it reconnects."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.tally = Tally()
        self.leaving = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.leaving.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        self.body += message.get("body", b"")

    @property
    def events(self) -> list[tuple[str, str, Any]]:
        """(id, kind, data) of each event."""
        found = []
        for block in self.body.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[1:])
            if "event" in fields:
                data = json.loads(fields["data"])
                found.append((fields.get("id", ""), fields["event"], data))
        return found

    async def wait_for(self, count: int) -> list[tuple[str, str, Any]]:
        async with asyncio.timeout(5):
            while len(self.events) < count:
                await asyncio.sleep(0.01)
        return self.events


@asynccontextmanager
async def following(
    conversation_id: uuid.UUID, cookie: str, *, after: str = "", last_event_id: str = ""
) -> AsyncIterator[Browser]:
    browser = Browser()
    headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
    if last_event_id:
        headers.append((b"last-event-id", last_event_id.encode()))
    scope = {"headers": headers, "query_string": f"after={after}".encode()}
    task = asyncio.create_task(
        app.events(scope, browser.receive, browser.send, conversation_id, browser.tally)  # type: ignore[arg-type]
    )
    try:
        async with asyncio.timeout(5):
            while not browser.status:
                await asyncio.sleep(0.01)
        yield browser
    finally:
        browser.leaving.set()
        await task


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory()
    return made


@pytest.fixture
def cookie(conversation: Conversation) -> str:
    return cookie_of(conversation.user)


def cookie_of(user: Any) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def to_the_end() -> None:
        try:
            await scenario()
        finally:
            await hub.close_hub()

    async_to_sync(to_the_end)()


async def announce(conversation: Conversation, *numbers: int) -> None:
    for number in numbers:
        await asyncio.to_thread(streams.announce, conversation.pk, "message", m=number)


def numbers(browser: Browser) -> list[int]:
    return [data["m"] for _, kind, data in browser.events if kind == "message"]


def test_frames_come_in_order_and_are_not_cached(conversation: Conversation, cookie: str) -> None:
    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await announce(conversation, 1, 2, 3)
            await browser.wait_for(3)
            assert numbers(browser) == [1, 2, 3]
            assert browser.headers[b"content-type"].startswith(b"text/event-stream")
            assert browser.headers[b"cache-control"] == b"no-store"

    run(scenario)


@pytest.mark.parametrize("how", ["after", "last_event_id"])
def test_a_browser_that_comes_back_misses_nothing(
    conversation: Conversation, cookie: str, how: str
) -> None:
    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await announce(conversation, 1, 2)
            (_, _, _), (last, _, _) = await browser.wait_for(2)
        await announce(conversation, 3)
        async with following(conversation.pk, cookie, **{how: last}) as browser:
            await announce(conversation, 4)
            await browser.wait_for(2)
            assert numbers(browser) == [3, 4]

    run(scenario)


def test_many_browsers_share_one_subscription(conversation: Conversation, cookie: str) -> None:
    async def scenario() -> None:
        async with (
            following(conversation.pk, cookie) as first,
            following(conversation.pk, cookie) as second,
        ):
            await announce(conversation, 1)
            await first.wait_for(1)
            await second.wait_for(1)
            assert len(hub.current_hub()._mailboxes) == 1
        assert not hub.current_hub()._mailboxes

    run(scenario)


def test_a_trimmed_stream_is_told(
    conversation: Conversation, cookie: str, queue_redis: Any
) -> None:
    async def scenario() -> None:
        await announce(conversation, 1, 2, 3)
        first = queue_redis.xrange(stream_key(conversation.pk))[0][0].decode()
        queue_redis.xtrim(stream_key(conversation.pk), maxlen=1, approximate=False)
        async with following(conversation.pk, cookie, after=first) as browser:
            await browser.wait_for(2)
            assert [kind for _, kind, _ in browser.events] == ["reset", "message"]

    run(scenario)


def test_an_expired_stream_is_told(conversation: Conversation, cookie: str) -> None:
    async def scenario() -> None:
        async with following(conversation.pk, cookie, after="1700000000000-0") as browser:
            await browser.wait_for(1)
            assert browser.events[0][1] == "reset"
            last = browser.events[0][0]
        await told_once(conversation, cookie, last)

    run(scenario)


def test_a_page_from_before_any_frame_is_told_what_it_cannot_know(
    conversation: Conversation, cookie: str
) -> None:
    """It was out of sight for hours, in which another device may have sent what has expired since."""
    with time_machine.travel(timezone.now() - timedelta(hours=1), tick=False):
        drawn = streams.last_event_id(conversation.pk)

    async def scenario() -> None:
        async with following(conversation.pk, cookie, after=drawn) as browser:
            await browser.wait_for(1)
            assert [kind for _, kind, _ in browser.events] == ["reset"]
            last = browser.events[0][0]
        await told_once(conversation, cookie, last)

    run(scenario)


async def told_once(conversation: Conversation, cookie: str, last: str) -> None:
    """A browser that has fetched what it missed is not told so again."""
    async with following(conversation.pk, cookie, last_event_id=last) as browser:
        await announce(conversation, 2)
        while 2 not in numbers(browser):
            await browser.wait_for(len(browser.events) + 1)
        assert {kind for _, kind, _ in browser.events} == {"message"}


def test_a_page_that_was_drawn_without_frames_follows_from_there(
    conversation: Conversation, cookie: str
) -> None:
    async def scenario() -> None:
        drawn = await asyncio.to_thread(streams.last_event_id, conversation.pk)
        assert drawn.startswith("0-")
        await announce(conversation, 1)
        async with following(conversation.pk, cookie, after=drawn) as browser:
            await browser.wait_for(1)
            assert [kind for _, kind, _ in browser.events] == ["message"]

    run(scenario)


def test_a_follower_that_falls_behind_catches_up_from_redis(
    conversation: Conversation, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BACKLOG", 2)

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            key = stream_key(conversation.pk)
            await announce(conversation, 1)
            await browser.wait_for(1)
            (mailbox,) = hub.current_hub()._mailboxes[key]
            for _ in range(3):
                mailbox.put(("1-1", b"message {}"))  # more than it may hold: told to catch up
            await announce(conversation, 2)
            await browser.wait_for(2)
            assert numbers(browser) == [1, 2]

    run(scenario)


@pytest.mark.parametrize("who", ["nobody", "another user", "a wrong cookie"])
def test_only_the_owner_may_follow(conversation: Conversation, who: str) -> None:
    cookie = {"another user": lambda: cookie_of(UserFactory())}.get(who, lambda: who)()

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            assert browser.status == 404
            assert not browser.events

    run(scenario)


def test_a_neighbours_odd_cookie_does_no_harm(conversation: Conversation, cookie: str) -> None:
    async def scenario() -> None:
        odd = f'x; prefs={{"a":1}}; {settings.SESSION_COOKIE_NAME}={cookie}'
        async with following(conversation.pk, f"1; {odd}") as browser:
            assert browser.status == 200

    run(scenario)


@pytest.mark.parametrize("cursor", ["%C2%B2-0", "9" * 30 + "-0", "x", "1-", "-1"])
def test_a_cursor_that_is_none_begins_at_the_beginning(
    conversation: Conversation, cookie: str, cursor: str
) -> None:
    async def scenario() -> None:
        await announce(conversation, 1)
        async with following(conversation.pk, cookie, after=cursor) as browser:
            await browser.wait_for(1)
            assert numbers(browser) == [1]

    run(scenario)


def test_a_deactivated_owner_may_not(conversation: Conversation, cookie: str) -> None:
    conversation.user.is_active = False
    conversation.user.save()

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            assert browser.status == 404

    run(scenario)


@pytest.mark.parametrize(
    "event", ["signs out", "is deactivated", "has a new password", "is deleted"]
)
def test_a_stream_ends_when_its_user(conversation: Conversation, event: str) -> None:
    client, owner = Client(), conversation.user
    client.force_login(owner)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value

    def change() -> None:
        match event:
            case "signs out":
                client.logout()
            case "is deactivated":
                owner.is_active = False
                owner.save()
            case "has a new password":
                owner.set_password("a quite new password")
                owner.save(update_fields=["password"])
            case "is deleted":
                owner.delete()

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await announce(conversation, 1)
            await browser.wait_for(1)
            await sync_to_async(change)()
            await browser.wait_for(2)
            assert browser.events[-1][1] == "bye"
        async with following(conversation.pk, cookie) as browser:
            assert browser.status == 404

    run(scenario)


def test_a_stream_goes_on_when_somebody_else_signs_out(
    conversation: Conversation, cookie: str
) -> None:
    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await announce(conversation, 1)
            await sync_to_async(streams.rights_changed)(conversation.user.pk + 1)
            await announce(conversation, 2)
            await browser.wait_for(2)
            assert numbers(browser) == [1, 2]

    run(scenario)


def test_no_stream_slips_in_while_its_user_signs_out(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first word of the sign-out and the end of the session a browser comes back."""
    client = Client()
    client.force_login(conversation.user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    delete = SessionStore.delete
    flushing, deleting = threading.Event(), threading.Event()

    def sign_out() -> None:
        with closing(connection):
            client.logout()

    def late(self: SessionStore, key: str | None = None) -> None:
        flushing.set()
        assert deleting.wait(5)
        delete(self, key)

    async def scenario() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(SessionStore, "delete", late)
            signing_out = asyncio.create_task(asyncio.to_thread(sign_out))
            await asyncio.to_thread(flushing.wait, 5)
            async with following(conversation.pk, cookie) as browser:
                assert browser.status == 200  # the session is still there
                deleting.set()
                await signing_out
                await browser.wait_for(1)
                assert browser.events[-1][1] == "bye"

    run(scenario)


def test_a_reader_who_takes_nothing_is_let_go_in_the_end(
    conversation: Conversation, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LASTS", 0.05)
    monkeypatch.setattr(line, "PARTING", 0.05)
    browser = Browser()

    async def stuck(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def scenario() -> None:
        headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
        async with asyncio.timeout(5):
            await app.events(
                {"headers": headers}, browser.receive, stuck, conversation.pk, browser.tally
            )

    run(scenario)


@pytest.mark.parametrize("sequence", ["0", "999999999999999"])
def test_a_cursor_of_a_stream_that_is_lost_begins_with_what_comes(
    conversation: Conversation, cookie: str, sequence: str
) -> None:
    async def scenario() -> None:
        await announce(conversation, 1)
        late = f"999999999999999-{sequence}"
        async with following(conversation.pk, cookie, last_event_id=late) as browser:
            await browser.wait_for(1)
            await announce(conversation, 2)
            await browser.wait_for(2)
            assert [kind for _, kind, _ in browser.events] == ["reset", "message"]
            assert numbers(browser) == [2]

    run(scenario)


def test_odd_words_on_the_channel_of_rights_harm_nobody(
    conversation: Conversation, cookie: str, queue_redis: Any
) -> None:
    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await announce(conversation, 1)
            await browser.wait_for(1)
            await asyncio.to_thread(queue_redis.publish, RIGHTS, "everybody")
            await announce(conversation, 2)
            await browser.wait_for(2)

    run(scenario)


def test_signing_out_while_a_stream_opens_ends_it(
    conversation: Conversation, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = app.follower

    async def signed_out_meanwhile(session: str, conversation_id: uuid.UUID) -> int | None:
        found = await looked_up(session, conversation_id)
        await sync_to_async(streams.rights_changed)(conversation.user.pk)
        return found

    monkeypatch.setattr(app, "follower", signed_out_meanwhile)

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await browser.wait_for(1)
            assert browser.events[-1][1] == "bye"

    run(scenario)


def test_a_crowd_that_comes_back_at_once_misses_nothing_on_few_connections(
    conversation: Conversation, cookie: str, queue_redis: redis.Redis, settings: Any
) -> None:
    settings.STREAMS_PER_USER = 150

    async def scenario() -> None:
        before = len(queue_redis.client_list())
        await announce(conversation, 1)
        async with AsyncExitStack() as stack:
            browsers = await asyncio.gather(
                *(stack.enter_async_context(following(conversation.pk, cookie)) for _ in range(150))
            )
            await announce(conversation, 2)
            for browser in browsers:
                await browser.wait_for(2)
                assert numbers(browser) == [1, 2]
            assert len(queue_redis.client_list()) - before <= hub.READERS + 2

    run(scenario)


def test_without_redis_the_browser_is_sent_away(
    conversation: Conversation, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "QUEUE_URL", "unix:///nowhere/queue.sock")

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await browser.wait_for(1)
            assert [kind for _, kind, _ in browser.events] == ["bye"]

    run(scenario)


def test_a_quiet_line_shows_that_it_is_alive(
    conversation: Conversation, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "PING", 0.05)

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await asyncio.sleep(0.3)
            assert b": ping\n\n" in browser.body

    run(scenario)


def test_a_line_ends_after_its_lifetime(
    conversation: Conversation, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LASTS", 0.1)

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await browser.wait_for(1)
            assert browser.events[-1][1] == "bye"

    run(scenario)


def test_where_rights_cannot_be_known_the_browser_is_to_come_back(
    conversation: Conversation, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr("conversations.streams.access._owner", fail)

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            assert browser.status == 503
            assert browser.headers[b"retry-after"] == b"5"

    run(scenario)


def test_beyond_a_users_most_the_oldest_is_told_why_and_ends(
    conversation: Conversation, cookie: str, settings: Any
) -> None:
    settings.STREAMS_PER_USER = 2
    other = ConversationFactory(user=conversation.user)

    async def scenario() -> None:
        async with (
            following(conversation.pk, cookie) as oldest,
            following(other.pk, cookie) as second,
            following(conversation.pk, cookie) as newest,
        ):
            await oldest.wait_for(1)
            assert oldest.events == [("", "crowded", {"most": 2})]
            await announce(conversation, 1)
            await announce(other, 2)
            await newest.wait_for(1)
            await second.wait_for(1)
            assert (numbers(newest), numbers(second)) == ([1], [2])
            assert oldest.tally.ended == "crowded"
        assert not hub.current_hub()._of

    run(scenario)


def test_others_and_streams_that_have_ended_do_not_count(
    conversation: Conversation, cookie: str, settings: Any
) -> None:
    settings.STREAMS_PER_USER = 1
    others = ConversationFactory()

    async def scenario() -> None:
        async with following(conversation.pk, cookie):
            pass
        theirs = await sync_to_async(cookie_of)(others.user)
        async with (
            following(conversation.pk, cookie) as first,
            following(others.pk, theirs) as second,
            following(others.pk, cookie) as refused,
        ):
            assert refused.status == 404
            await announce(conversation, 1)
            await announce(others, 2)
            await first.wait_for(1)
            await second.wait_for(1)
            assert (numbers(first), numbers(second)) == ([1], [2])

    run(scenario)


@pytest.mark.parametrize("at", ["http.response.start", "http.response.body"])
def test_one_who_takes_nothing_makes_way_too(
    conversation: Conversation,
    cookie: str,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
) -> None:
    """Crowded out while its answer begins, or later."""
    settings.STREAMS_PER_USER = 1
    monkeypatch.setattr(line, "PARTING", 0.05)
    browser, begun, go_on = Browser(), asyncio.Event(), asyncio.Event()

    async def stuck(message: Any) -> None:
        if message["type"] == at:
            begun.set()
            await go_on.wait()
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def scenario() -> None:
        headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
        task = asyncio.create_task(
            app.events({"headers": headers}, browser.receive, stuck, conversation.pk, browser.tally)
        )
        await begun.wait()
        async with following(conversation.pk, cookie), asyncio.timeout(5):
            go_on.set()
            await task
        assert browser.tally.ended == "crowded"

    run(scenario)


@pytest.mark.parametrize("why", ["left", "lifetime", "rights", "redis"])
def test_a_stream_is_measured_with_the_reason_of_its_end(
    conversation: Conversation, cookie: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            await announce(conversation, 1, 2)
            await browser.wait_for(2)
            match why:
                case "rights":
                    await sync_to_async(streams.rights_changed)(conversation.user.pk)
                case "lifetime":
                    monkeypatch.setattr(line, "LASTS", 0.1)
                case "redis":
                    monkeypatch.setattr(hub.Hub, "since", unreachable)
                    (mailbox,) = hub.current_hub()._mailboxes[stream_key(conversation.pk)]
                    mailbox.lose()
            if why == "lifetime":
                async with following(conversation.pk, cookie) as browser:
                    await browser.wait_for(3)
            elif why != "left":
                await browser.wait_for(3)
        tally = browser.tally
        assert (tally.status, tally.frames, tally.ended) == (200, 2, why)
        assert tally.size == len(browser.body)

    async def unreachable(*_: object, **__: object) -> Any:
        raise redis.ConnectionError("away")

    run(scenario)
    metrics.flush()
    assert found("stream_seconds", ended=why).count == 1
    assert found("stream_bytes").max > 100


def test_a_refused_stream_is_counted(conversation: Conversation) -> None:
    async def scenario() -> None:
        async with following(conversation.pk, "nobody") as browser:
            assert browser.tally.status == 404

    run(scenario)
    metrics.flush()
    assert found("streams_refused", status="404").sum == 1
