"""One Redis subscription connection per web process, however many browsers watch.

A follower gets every frame once and in order: it subscribes, catches up from its last id, then
takes what is published. A follower that falls behind catches up again, and so does everybody whose channel
Redis confirms once more: redis-py comes back from a lost connection without a word of what it missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from conversations.streams import waiting
from conversations.streams.events import RIGHTS, async_client, encode

logger = structlog.get_logger(__name__)

BACKLOG = 500  # frames a follower may lag before it has to catch up from Redis
READERS = (
    16  # that catch up at once: a thousand browsers that come back need no thousand connections
)

ANSWER = 2.0  # seconds that Redis has for a command
PLACES = 1.0  # seconds between two looks at the queue
REPEAT = 4.0  # seconds after which a place is told again

Frame = tuple[str, bytes]
NOT_KEPT = ""  # the id of a frame that is for now: nobody who comes back asks for it


class Mailbox:
    """What has been published for one follower and not yet taken."""

    def __init__(self) -> None:
        self.owner: int | None = None  # the user, once it is known that they may follow
        self.crowded_out = False  # by newer streams of the same user
        self.on_crowded_out: Callable[[], object] = bool
        self.revoked: set[int] = set()  # users whose rights changed since this mailbox was opened
        self._frames: deque[Frame] = deque()
        self._ready = asyncio.Event()
        self.missed = True  # until the first catch-up
        self._places: dict[int, tuple[int, float]] = {}  # what was told of each message, and when

    def put(self, frame: Frame) -> None:
        if len(self._frames) >= BACKLOG:
            self.lose()
        else:
            self._frames.append(frame)
            self._ready.set()

    def place(self, message_id: int, ahead: int, now: float) -> None:
        """Tells how many come before that message, where it is new or some time ago.

        Told again and again it shows that the line is alive, so that no browser asks for itself.
        """
        told, at = self._places.get(message_id, (-1, 0.0))
        if told != ahead or now - at >= REPEAT:
            self._places[message_id] = ahead, now
            self.put((NOT_KEPT, encode("ahead", m=message_id, n=ahead)))

    def lose(self) -> None:
        """What is here is incomplete: the follower has to catch up."""
        self._frames.clear()
        self.missed = True
        self._ready.set()

    def revoke(self, user_id: int) -> None:
        """That user's rights have to be looked at again."""
        if self.owner in {None, user_id}:
            self.revoked.add(user_id)
            self._ready.set()

    def crowd_out(self) -> None:
        """Newer streams of its user have taken its place."""
        self.crowded_out = True
        self._ready.set()
        self.on_crowded_out()

    async def take(self) -> list[Frame]:
        """Waits for frames; an empty list means that some were missed, or that rights changed."""
        await self._ready.wait()
        self._ready.clear()
        frames = list(self._frames)
        self._frames.clear()
        return [] if self.missed else frames


class Hub:
    """The followers of one event loop and the connection that feeds them."""

    def __init__(self) -> None:
        self._mailboxes: dict[str, set[Mailbox]] = {}
        self._of: dict[int, list[Mailbox]] = {}  # by user, the oldest first
        self._redis = async_client(health_check_interval=15, socket_timeout=ANSWER)
        self._pubsub: PubSub = self._redis.pubsub()
        self._is_complete = True  # every channel that is followed has been asked for
        # Concurrent first subscriptions on one PubSub race inside redis-py, and lose channels.
        self._subscribing = asyncio.Lock()
        self._reading = asyncio.Semaphore(READERS)
        self._reader: asyncio.Task[None] | None = None
        self._placer: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def follow(self, key: str) -> AsyncIterator[Mailbox]:
        mailbox = Mailbox()
        self._mailboxes.setdefault(key, set()).add(mailbox)
        try:
            await self._subscribe(key)
            yield mailbox
        finally:
            self._disown(mailbox)
            followers = self._mailboxes[key]
            followers.discard(mailbox)
            if not followers:
                del self._mailboxes[key]
                await asyncio.shield(self._unsubscribe(key))

    def admit(self, mailbox: Mailbox, owner: int, most: int) -> None:
        """That user may follow: with the newest `most` of their streams here."""
        mailbox.owner = owner
        mine = self._of.setdefault(owner, [])
        mine.append(mailbox)
        while len(mine) > most:
            mine.pop(0).crowd_out()

    def _disown(self, mailbox: Mailbox) -> None:
        mine = self._of.get(mailbox.owner or 0, [])
        if mailbox in mine:
            mine.remove(mailbox)
        if mailbox.owner and not mine:
            self._of.pop(mailbox.owner, None)

    async def since(self, key: str, event_id: str, count: int = BACKLOG) -> list[Frame]:
        """The frames after `event_id`, oldest first."""
        async with self._reading:
            entries: Any = await self._redis.xrange(key, min=f"({event_id}", count=count)
        return [(entry_id.decode(), fields[b"f"]) for entry_id, fields in entries]

    async def ends(self, key: str) -> tuple[str, str] | None:
        """The ids of the oldest and the newest frame that are kept; None where there is none."""
        async with self._reading:
            both: Any = self._redis.pipeline(transaction=False)
            both.xrange(key, count=1)
            both.xrevrange(key, count=1)
            oldest, newest = await both.execute()
        return (oldest[0][0].decode(), newest[0][0].decode()) if oldest and newest else None

    async def close(self) -> None:
        """Lets go of Redis; followers are expected to be gone."""
        for task in filter(None, (self._reader, self._placer)):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]
        await self._redis.aclose()

    async def _subscribe(self, key: str) -> None:
        async with self._subscribing:
            # Where it is not, the reader asks for all: nobody waits in a row for a Redis that is away.
            if self._is_complete:
                try:
                    await self._pubsub.subscribe(RIGHTS, key)
                except RedisError:
                    self._is_complete = False
            if self._reader is None or self._reader.done():
                self._reader = _task_of_nobody(self._read(), "stream-hub")
            if self._placer is None or self._placer.done():
                self._placer = _task_of_nobody(self._tell_places(), "stream-places")

    async def _unsubscribe(self, key: str) -> None:
        async with self._subscribing:
            if self._is_complete and key not in self._mailboxes:
                with suppress(RedisError):
                    await self._pubsub.unsubscribe(key)

    async def _read(self) -> None:
        while self._mailboxes:
            if not self._is_complete:
                await self._reconnect()
                continue
            try:
                message = await self._pubsub.get_message(timeout=5)
            except RedisError as error:
                logger.warning("stream_unavailable", error=type(error).__name__)
                self._is_complete = False
                continue
            if message is not None:
                self._hear(message["type"], message["channel"].decode(), message["data"])

    async def _tell_places(self) -> None:
        """Tells those who wait how many come before them: one command a second, however many watch."""
        clock = asyncio.get_running_loop()
        while self._mailboxes:
            with suppress(RedisError):
                for ahead, (key, message_id) in enumerate(await waiting.places(self._redis)):
                    for mailbox in self._mailboxes.get(key, ()):
                        mailbox.place(message_id, ahead, clock.time())
            await asyncio.sleep(PLACES)

    def _hear(self, kind: str, key: str, data: Any) -> None:
        """A frame, or Redis' word that a channel is heard from now on: what was said before may be missing."""
        if kind == "message":
            self._deliver(key, data)
        elif kind == "subscribe":
            for mailbox in self._mailboxes.get(key, ()):
                mailbox.lose()

    def _deliver(self, key: str, data: bytes) -> None:
        if key == RIGHTS:
            with suppress(ValueError):  # somebody else's words must not end the reading for all
                self._revoke(int(data))
            return
        event_id, _, frame = data.partition(b" ")
        for mailbox in self._mailboxes.get(key, ()):
            mailbox.put((event_id.decode(), frame))

    def _revoke(self, user_id: int) -> None:
        for followers in self._mailboxes.values():
            for mailbox in followers:
                mailbox.revoke(user_id)

    async def _reconnect(self) -> None:
        pause = 0.1
        while self._mailboxes:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2)
            with suppress(RedisError):
                async with self._subscribing:
                    await self._pubsub.aclose()  # type: ignore[no-untyped-call]
                    self._pubsub = self._redis.pubsub()
                    await self._pubsub.subscribe(RIGHTS, *self._mailboxes)
                    self._is_complete = True
                return


def _task_of_nobody(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """It serves all, so it belongs to no follower's log lines and trace."""
    return asyncio.create_task(work, name=name, context=Context())


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current_hub() -> Hub:
    """The hub of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


async def close_hub() -> None:
    """Closes the hub of the running loop, if there is one."""
    hub = _hubs.pop(asyncio.get_running_loop(), None)
    if hub is not None:
        await hub.close()
