"""Some people on one site: what one of them does, and what all of them see then."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import redis
from django.db import connection

from conversations.attempts import Attempt
from performance import conf
from performance.cache import Namespace
from tests.integration.stale.acting import ACTS
from tests.integration.stale.browsers import Page
from tests.integration.stale.people import Person
from tests.integration.stale.processes import OtherProcess
from tests.integration.stale.site import Site

FRONT = 2  # pages that are looked at after each act
_addresses = itertools.count(1)


class Stale(AssertionError):
    """Somebody was shown another page than the one that is right, or another's."""


class World:
    """`site`, `people`, and the `attempts` at answers that are under way, by their reply's number.

    `pages` is how many pages of each person are looked at after an act; the first are always
    among them, the others take turns.
    """

    def __init__(self, folder: Path, server: redis.Redis, *, pages: int = 3) -> None:
        self.site = Site(folder)
        self.redis = server
        self.other = OtherProcess()
        self.people = {name: Person(name) for name in ("alice", "bob")}
        self.attempts: dict[int, Attempt] = {}
        self._off: frozenset[str] = frozenset()
        self._pages = pages
        self._turn = 0
        self._watching: Person | None = None
        self._done: list[str] = []

    def act(self, act: str, who: str, pick: int = 0, *, there: bool = False, watched: bool = False) -> None:  # fmt: skip
        """`there`: by another process. `watched`: pages are looked at between all steps of forgetting."""
        self._done.append(f"{act}({who}, {pick}{', there' * there}{', watched' * watched})")
        person = self.people[who]
        with self.other.acting() if there else nullcontext(), self._watched_by(person, watched):
            ACTS[act](self, person, pick)
        self.other.hear()

    def do(self, act: str, who: str, pick: int = 0, **how: bool) -> None:
        """As `act`; then all look at their pages. Raises Stale."""
        self.act(act, who, pick, **how)
        person = self.people[who]
        theirs = self.look(person)
        for other in self.people.values():
            if other is not person:
                self.compare(other, self._next([*other.pages(), *theirs[1:2]]))

    def do_from_scratch(self, act: str, who: str, **how: Any) -> None:
        """With nothing kept but what was just seen; and all that is seen first is Alice's. Raises Stale."""
        self.begin_anew()
        self.do(act, who, **how)
        self.look(self.people["alice"])

    def look(self, person: Person) -> list[Page]:
        """Looks at some of this person's pages. Returns all that there are."""
        pages = person.pages()
        front, rest = pages[:FRONT], pages[FRONT:]
        for page in [*front, *(self._next(rest) for _ in range(self._pages - FRONT))]:
            self.compare(person, page)
        return pages

    def look_at_all(self) -> None:
        for person in self.people.values():
            for page in person.pages():
                self.compare(person, page)

    def begin_anew(self) -> None:
        """Nothing is kept but what is seen now."""
        self.redis.flushdb()
        self.other.hear()
        for person in self.people.values():
            for page in person.pages()[: FRONT + 1]:
                self.compare(person, page)

    def _next(self, pages: list[Page]) -> Page:
        self._turn += 1
        return pages[self._turn % len(pages)]

    def compare(self, person: Person, page: Page, *, signed_out: bool = False) -> None:
        """What the person's browser shows, with what would be made anew. Raises Stale."""
        number = next(_addresses)
        address = (
            f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"  # no limit by address
        )
        seen = person.browser.see(page, address)
        with self._without_caches():
            right = person.plain.see(page, address)
        if signed_out:
            return self._refuse_others(person, page, seen.text, itself=True)
        if difference := seen.unlike(right):
            raise Stale(self._told(f"{person.canary} at {page.url} ({page.part=})\n{difference}"))
        return self._refuse_others(person, page, seen.text)

    def _refuse_others(self, person: Person, page: Page, text: str, *, itself: bool = False) -> None:  # fmt: skip
        for other in self.people.values():
            if (itself or other is not person) and other.canary in text:
                raise Stale(self._told(f"{person.canary} sees {other.canary} at {page.url}"))

    def _told(self, what: str) -> str:
        return "\n".join([what, "after", *self._done])

    @contextmanager
    def _without_caches(self) -> Iterator[None]:
        conf.turn_off(frozenset({"cache.enabled"}))
        try:
            yield
        finally:
            conf.turn_off(self._off)

    def turn_off(self, *names: str) -> None:
        """These alone, live."""
        self._off = frozenset(names)
        conf.turn_off(self._off)

    @contextmanager
    def _watched_by(self, person: Person, watched: bool) -> Iterator[None]:
        self._watching = person if watched else None
        try:
            yield
        finally:
            self._watching = None

    def glance(self) -> None:
        """Somebody who acts has their page open elsewhere: it is read now, and may be an old one."""
        person, self._watching = self._watching, None
        if person is None or connection.in_atomic_block:
            self._watching = person
            return
        with self.other.away():
            for page in person.pages()[: FRONT + 1]:
                person.browser.see(page)
        self._watching = person

    def close(self) -> None:
        conf.turn_off(frozenset())
        self.site.close()


@contextmanager
def between_steps(world: Any) -> Iterator[None]:
    """`world()` glances before and after each step by which caches forget."""
    clear = Namespace.clear

    def clear_and_glance(namespace: Namespace, *others: Namespace) -> None:
        world().glance()
        for one in (namespace, *others):  # in one round trip else, in this order
            clear(one)
            world().glance()

    Namespace.clear = clear_and_glance  # type: ignore[method-assign]
    try:
        yield
    finally:
        Namespace.clear = clear  # type: ignore[method-assign]
