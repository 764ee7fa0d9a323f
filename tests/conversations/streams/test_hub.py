"""What the hub does about a line to Redis that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.conf import settings

from conversations.models import Conversation
from conversations.streams import hub
from conversations.streams.events import APPEND, encode, stream_key
from tests.conversations.streams.test_app import cookie_of, following, numbers, run
from tests.factories import ConversationFactory, UserFactory
from tests.proxy import TcpProxy
from tests.servers import ThrowAwayValkey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("queue_redis")]


def say(server: ThrowAwayValkey, conversation: Conversation, number: int) -> None:
    frame = encode("message", m=number)
    with server.client() as client:
        client.eval(APPEND, 1, stream_key(conversation.pk), 100, 60, 1, frame)


def test_what_is_said_while_the_line_is_down_is_not_missed(
    valkey_server: Callable[..., ThrowAwayValkey], monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation: Any = ConversationFactory()
    cookie, server = cookie_of(conversation.user), valkey_server()

    async def scenario() -> None:
        async with following(conversation.pk, cookie) as browser:
            say(server, conversation, 1)
            await browser.wait_for(1)
            line.close()
            say(server, conversation, 2)
            line.open()
            await browser.wait_for(2)
            say(server, conversation, 3)
            await browser.wait_for(3)
            assert numbers(browser) == [1, 2, 3]

    with TcpProxy(server.port) as line:
        monkeypatch.setattr(settings, "QUEUE_URL", line.url)
        run(scenario)


def test_a_crowd_does_not_wait_in_a_row_for_a_redis_that_does_not_answer(
    valkey_server: Callable[..., ThrowAwayValkey], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory()
    crowd = [one.pk for one in ConversationFactory.create_batch(20, user=user)]
    cookie, server = cookie_of(user), valkey_server()
    monkeypatch.setattr(settings, "QUEUE_URL", server.url)
    monkeypatch.setattr(hub, "ANSWER", 0.5)

    async def scenario() -> None:
        async with asyncio.timeout(8), AsyncExitStack() as stack:
            browsers = await asyncio.gather(
                *(stack.enter_async_context(following(one, cookie)) for one in crowd)
            )
            for browser in browsers:
                await browser.wait_for(1)
                assert [kind for _, kind, _ in browser.events] == ["bye"]

    server.freeze()
    try:
        run(scenario)
    finally:
        server.thaw()
