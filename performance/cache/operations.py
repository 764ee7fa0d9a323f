"""What each cache operation says to Redis, once for threads and coroutines.

An operation is a generator: it yields commands, gets their replies, and returns its result. Names
are those in Redis. Each raises Unavailable where its server is away.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from performance.cache import scripts
from performance.cache.channels import Command
from performance.cache.counts import Counts
from performance.cache.engine import Engine
from performance.cache.envelope import Entry, Sealed, open_entry, seal
from performance.cache.exceptions import ReplyError, Unavailable
from performance.cache.frozen import is_frozen
from performance.cache.keys import is_portable, lease_of
from performance.cache.local import Slot, Token
from performance.cache.transport import Operation
from performance.cache.values import Unreadable


class Operations:
    def __init__(self, engine: Engine, compressor: str) -> None:
        self.engine = engine
        self.local = engine.local
        self._compressor = compressor

    def read(self, name: str) -> Operation:
        """The Entry under `name`, or None. Counted as a hit or a miss."""
        found = yield from self.read_many([name])
        entry = found.get(name)
        if isinstance(entry, Unavailable):
            raise entry
        return entry

    def read_many(self, names: list[str]) -> Operation:
        """name: Entry of those there are; Unavailable under the names of a server that is away."""
        local = self.local
        tokens = {name: local.begin(name) for name in names} if local else {}
        slots: dict[str, tuple[Slot | None, float | None]] = {}
        try:
            replies = yield [command for name in names for command in self._reading(name, tokens)]
            if self.engine.tracker is not None:
                self.engine.tracker.doubt()
            found, damaged = self._opened(names, tokens, replies, slots)
        finally:
            if local:
                for name, token in tokens.items():
                    local.end(name, token, *slots.get(name, (None, None)))
        if damaged:
            yield damaged
        return found

    def set(self, name: str, sealed: Sealed, ttl: int | None) -> Operation:
        """Whether it is stored; what was there before is not, either way. `ttl` in milliseconds."""
        stored = yield from self.set_many({name: sealed}, ttl)
        return not stored

    def set_many(self, entries: Mapping[str, Sealed], ttl: int | None) -> Operation:
        """The names that were not stored."""
        commands: list[Command] = []
        for name, sealed in entries.items():
            commands += [_setting(name, sealed, ttl), ("UNLINK", lease_of(name))]
        replies = yield from self._write(list(entries), commands)
        failed = [n for n, reply in zip(entries, replies[::2], strict=True) if reply != b"OK"]
        if refused := [
            n for n, r in zip(entries, replies[::2], strict=True) if type(r) is ReplyError
        ]:
            self._refused([r for r in replies if type(r) is ReplyError])
            yield from self._write(refused, [("UNLINK", name) for name in refused])
        self._count_sets(entries, failed)
        return failed

    def add(self, name: str, sealed: Sealed, ttl: int | None) -> Operation:
        setting = (*_setting(name, sealed, ttl), "NX")
        commands: list[Command] = [("UNLINK", lease_of(name)), setting]
        _, reply = yield from self._write([name], commands, lose=False)
        if type(reply) is ReplyError:
            self._refused([reply])
        self._count_sets({name: sealed}, [] if reply == b"OK" else [name])
        return reply == b"OK"

    def delete_many(self, names: list[str]) -> Operation:
        """How many there were."""
        commands: list[Command] = []
        for name in names:
            commands += [("UNLINK", name), ("UNLINK", lease_of(name))]
        replies = yield from self._write(names, commands)
        for name in names:
            self.engine.counts_of(name).deletes += 1
        return sum(reply for reply in replies[::2] if type(reply) is int)

    def look_again(self, name: str) -> Operation:
        """As `read`, by one who was told of a miss before: it counts as neither hit nor miss."""
        [reply] = _checked((yield [("GET", name)]))
        try:
            return open_entry(reply) if type(reply) is bytes else None
        except Unreadable:
            return None

    def exists(self, name: str) -> Operation:
        [reply] = _checked((yield [("EXISTS", name)]))
        return reply == 1

    def touch(self, name: str, ttl: int | None) -> Operation:
        if ttl is None:
            _, there = yield from self._write(
                [name], [("PERSIST", name), ("EXISTS", name)], lose=False
            )
            return there == 1
        [there] = yield from self._write([name], [("PEXPIRE", name, str(ttl))], lose=False)
        return there == 1

    def add_to(self, name: str, delta: int) -> Operation:
        """The new number; None where there is no entry. Raises TypeError for what is no number."""
        plain = ("EVAL", scripts.ADD_TO, "1", name, str(delta))
        while True:
            [reply] = yield from self._write([name], [plain], lose=False)
            if type(reply) is not ReplyError:
                return reply
            [old] = _checked((yield [("GET", name)]))
            if type(old) is not bytes:
                return None
            new = seal(open_entry(old).value + delta, compressor=self._compressor)
            swap = ("EVAL", scripts.REPLACE, "1", name, old, new.data)
            [swapped] = yield from self._write([name], [swap], lose=False)
            if type(swapped) is ReplyError:
                self._refused([swapped])
                return None
            if swapped:
                return open_entry(_bytes(new)).value

    def move(self, old: str, new: str) -> Operation:
        """Give an entry another name, with the time it has left; whether there was one."""
        data, left = _checked((yield [("GET", old), ("PTTL", old)]))
        if type(data) is not bytes or left == -2:
            return False
        setting = ("SET", new, data) if left < 0 else ("SET", new, data, "PX", str(max(left, 1)))
        stored, _ = yield from self._write([new], [setting, ("UNLINK", lease_of(new))])
        if type(stored) is ReplyError:
            self._refused([stored])
            return False
        yield from self._write([old], [("UNLINK", old), ("UNLINK", lease_of(old))])
        return True

    def lease(self, name: str, token: str, milliseconds: int) -> Operation:
        """Whether the right to load `name` is ours."""
        command = ("SET", lease_of(name), token, "PX", str(milliseconds), "NX")
        [reply] = _checked((yield [command]))
        return reply == b"OK"

    def store_leased(self, name: str, sealed: Sealed, ttl: int | None, token: str) -> Operation:
        """Store and give the lease back, if it still is ours: nothing was written to `name` since."""
        keys = ("2", name, lease_of(name))
        command = ("EVAL", scripts.STORE_LEASED, *keys, token, sealed.data, str(ttl or 0))
        [stored] = yield from self._write([name], [command], lose=False)
        if type(stored) is ReplyError:
            self._refused([stored])
        self._count_sets({name: sealed}, [] if stored == 1 else [name])
        return stored == 1

    def release(self, name: str, token: str) -> Operation:
        yield [("EVAL", scripts.RELEASE, "1", lease_of(name), token)]

    def _reading(self, name: str, tokens: Mapping[str, Token | None]) -> list[Command]:
        """The time left is asked for only where the answer may be kept here."""
        return [("GET", name), ("PTTL", name)] if tokens.get(name) else [("GET", name)]

    def _opened(
        self,
        names: list[str],
        tokens: Mapping[str, Token | None],
        replies: list[Any],
        slots: dict[str, tuple[Slot | None, float | None]],
    ) -> tuple[dict[str, Any], list[Command]]:
        found: dict[str, Any] = {}
        damaged: list[Command] = []
        left = iter(replies)
        for name in names:
            reply = next(left)
            ttl = next(left) if tokens.get(name) else None
            entry = self.opened(name, reply, damaged, self.engine.counts_of(name))
            if entry is None:
                continue
            found[name] = entry
            if isinstance(entry, Entry) and type(ttl) is int and ttl != -2 and is_portable(name):
                slots[name] = self._slot(name, entry), _kept(ttl, entry)
        return found, damaged

    def opened(self, name: str, reply: Any, damaged: list[Command], counts: Counts) -> Any:
        if type(reply) is bytes:
            try:
                entry = open_entry(reply)
            except Unreadable:
                counts.unreadable += 1
                damaged.append(("EVAL", scripts.REMOVE, "1", name, reply[:64], str(len(reply))))
            else:
                counts.hits += 1
                return entry
        counts.misses += 1
        if isinstance(reply, Unavailable):
            return reply
        if type(reply) is ReplyError:
            self._refused([reply])
        return None

    def _slot(self, name: str, entry: Entry) -> Slot:
        return Slot(name, entry, frozen=is_frozen(entry.value), counts=self.engine.counts_of(name))

    def _write(
        self, names: Iterable[str], commands: list[Command], *, lose: bool = True
    ) -> Operation:
        """Drop the local copies before, so nobody reads them; and after, so no older read fills them."""
        self._drop(names)
        done = False
        try:
            replies = _checked((yield commands), partly=len(commands) > 2)
            done = not any(type(reply) is Unavailable for reply in replies)
            if self.engine.tracker is not None:
                self.engine.tracker.drain()  # our own message, or it would drop what is read next
        finally:
            self._drop(names)
            if lose:
                self._overtake(names, done=done)
        return replies

    def _overtake(self, names: Iterable[str], *, done: bool) -> None:
        """Nobody joins a load from before the change, whose lease it took."""
        for name in names:
            self.engine.flights.pop(name, None)
        if not done:
            self.engine.lose(list(names))

    def _drop(self, names: Iterable[str]) -> None:
        if self.local is not None:
            for name in names:
                self.local.invalidate(name)

    def _count_sets(self, entries: Mapping[str, Sealed], failed: list[str]) -> None:
        for name, sealed in entries.items():
            counts = self.engine.counts_of(name)
            if name not in failed:
                counts.sets += 1
                counts.bytes_raw += sealed.raw_size
                counts.bytes_stored += sealed.size

    def _refused(self, replies: list[ReplyError]) -> None:
        for reply in replies:
            self.engine.counts[""].errors += 1
            self.engine.errors[reply.code] = self.engine.errors.get(reply.code, 0) + 1


def _checked(replies: list[Any], *, partly: bool = False) -> list[Any]:
    """The replies, unless all of them (or, if not `partly`, one) say that the server is away."""
    away = [reply for reply in replies if type(reply) is Unavailable]
    if away and (not partly or len(away) == len(replies)):
        raise away[0]
    return replies


def _setting(name: str, sealed: Sealed, ttl: int | None) -> Command:
    if ttl is None:
        return ("SET", name, sealed.data)
    return ("SET", name, sealed.data, "PX", str(ttl))


def _kept(ttl: int, entry: Entry) -> float | None:
    """For how many seconds a copy is as good as the original: not once that is stale."""
    left = None if ttl < 0 else ttl / 1000
    if entry.refresh is None:
        return left
    fresh = entry.refresh.stale_at - time.time()
    return fresh if left is None else min(left, fresh)


def _bytes(sealed: Sealed) -> bytes:
    return sealed.data if isinstance(sealed.data, bytes) else str(sealed.data).encode()
