"""A day of chat replayed with the caches on and off, in turns, on the same million messages.

python -m tests.benchmarks cached_chat [--messages 1000000] [--events 600] [--rounds 5] [--seed 1]

The day: eight people are there at a time, each for eight events on average; who comes next is drawn
by a Zipf law (exponent 1.1 over 1,000 users). One stays in a conversation with 70 %, else goes to
another, the likelier the more recent it is. Of 100 events 33 open the list, 50 a conversation, 5 an
earlier page of one, and 12 send a message, which is answered at once: two changes of the
conversation. A third of the questions repeat one of the user's own, and every fourth answer calls a
tool of the site with one of 200 arguments, by the same law. These figures are assumptions, seeded.
Pages that asked the database nothing are given beside all pages of their kind, as "cached".
The morning (`--morning` events) warms the caches and is not counted. Requests go through Django's
whole WSGI stack in this process, as whole pages: a browser that asks only whether its page has changed
would get an answer of no body. Time is compressed, so no entry reaches the end of its time.
`pages_from_cache` is the share of pages that asked the database nothing. `hit_rate` counts look-ups: a page
that was kept rendered is one hit, one that was not is a miss and then those of its parts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from uuid import uuid4

from tests.benchmarks.pages import in_process, signed_in
from tests.benchmarks.servers import test_database

USERS, PER_USER = 1000, 20
KINDS = {"list": 33, "conversation": 50, "earlier": 5, "send": 12}
TOOL_ARGUMENTS, TOOL_SHARE, REPEATED = 200, 0.25, 0.33
PRESENT, EVENTS_OF_A_VISIT, STAYING = 8, 8, 0.7
CACHED = "cached"  # pages that asked the database nothing
Figures = dict[str, Any]


def main(arguments: list[str]) -> None:
    options = _options(arguments)
    with test_database(), _quiet():
        began = time.perf_counter()
        seed(users=USERS, per_user=PER_USER, each=options.messages // (USERS * PER_USER))
        print(f"{options.messages:,} messages in {time.perf_counter() - began:.0f} s", flush=True)
        figures = _replay(options)
    print(json.dumps({"name": "cached_chat", "figures": figures, "ratios": _ratios(figures)}))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cached_chat")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=600)
    parser.add_argument("--morning", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


@contextmanager
def _quiet() -> Iterator[None]:
    """Nobody works on the tasks: the benchmark writes the answers itself."""
    from django.test.utils import override_settings

    dummy = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend", "QUEUES": []}}
    with override_settings(TASKS=dummy, DEBUG=False):
        yield


def seed(*, users: int, per_user: int, each: int) -> None:
    """`each` messages a conversation, by SQL; without entries to search, which no page here does."""
    from django.db import connection

    from conversations.markdown import RENDERER

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE conversations_message DISABLE TRIGGER USER")
        statements = SEED.format(users=users, per_user=per_user, each=each, renderer=RENDERER)
        for statement in statements.split(";"):
            if statement.strip():
                cursor.execute(statement)
        # In a transaction, the checks of its foreign keys must not be pending when the table changes.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE conversations_message ENABLE TRIGGER USER")


SEED = """
INSERT INTO auth_user (id, username, password, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined)
    SELECT n, 'user' || n, '!', '', '', '', true, false, false, now() FROM generate_series(1, {users}) n;
INSERT INTO conversations_conversation (id, user_id, title, created_at, last_message_at,
        reuse_answers, title_is_chosen)
    SELECT gen_random_uuid(), u, 'Conversation ' || c, now() - interval '40 days', now() - c * interval '1 day',
        true, false
    FROM generate_series(1, {users}) u, generate_series(1, {per_user}) c;
INSERT INTO conversations_branch (conversation_id, fork) SELECT id, 0 FROM conversations_conversation;
INSERT INTO conversations_message (conversation_id, branch_id, place, role, text, html, renderer, created_at)
    SELECT c.id, b.id, m + 1, CASE m % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
        repeat('word ' || m || ' of an answer, ', 12), '<p>' || repeat('word ' || m || ' of an answer, ', 12) || '</p>',
        {renderer}, last_message_at - ({each} - m) * interval '1 minute'
    FROM conversations_conversation c JOIN conversations_branch b ON b.conversation_id = c.id,
        generate_series(0, {each} - 1) m;
INSERT INTO conversations_reply (message_id, status, attempt, backend, model, author, error, explanation,
        correlation_id, stream_start, fresh, stop_requested, pending_since, continues, turns)
    SELECT id, 'complete', 1, 'default', '', 'Guide', '', '', '', '', false, false, created_at, false, ''
    FROM conversations_message WHERE role = 'assistant';
ANALYZE
"""


def _replay(options: argparse.Namespace) -> Figures:
    """The same events with the caches on and then off, round by round."""
    from django.conf import settings
    from django.test.utils import override_settings

    day = Day(options.seed)
    day.run(options.morning)
    runs: dict[str, list[Figures]] = {"on": [], "off": []}
    before = _hits()
    for _ in range(options.rounds):
        state = day.state()
        runs["on"].append(day.run(options.events))
        after = day.state()
        day.restore(state)
        block = {**getattr(settings, "PERFORMANCE", {})}
        block["CACHE"] = {**block.get("CACHE", {}), "ENABLED": False}
        with override_settings(PERFORMANCE=block), _another_world():
            runs["off"].append(day.run(options.events))
        day.restore(after)
        print(f"round {len(runs['on'])} of {options.rounds}", flush=True)
    return {
        "hit_rate": _rates(before, _hits()),
        **{name: _medians(found) for name, found in runs.items()},
    }


@dataclass
class Visit:
    user: int
    rank: int  # of the conversation that they are in, the newest first


class Day:
    """Events of a seeded day, carried out one by one."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.cookies: dict[int, str] = {}
        self.handler = _handler()
        self.asked: dict[int, list[str]] = defaultdict(list)
        self.present: list[Visit] = []
        self._users = list(accumulate(1 / rank**1.1 for rank in range(1, USERS + 1)))
        self._arguments = list(accumulate(1 / rank**1.1 for rank in range(1, TOOL_ARGUMENTS + 1)))

    def state(self) -> Any:
        return self.rng.getstate(), [(v.user, v.rank) for v in self.present]

    def restore(self, state: Any) -> None:
        self.rng.setstate(state[0])
        self.present = [Visit(*visit) for visit in state[1]]

    def run(self, events: int) -> Figures:
        """Times of pages in ms by kind, and statements per event."""
        from django.db import connection

        times: dict[str, list[float]] = defaultdict(list)
        statements: Counter[str] = Counter()
        for _ in range(events):
            kind = self.rng.choices(list(KINDS), KINDS.values())[0]
            visit = self._visit()
            self._conversations(visit.user), self._cookie(visit.user)
            counted = _Counter()
            with connection.execute_wrapper(counted):
                began = time.perf_counter()
                getattr(self, kind)(visit)
                times[kind].append((time.perf_counter() - began) * 1000)
            statements[kind] += counted.number
            if not counted.number:
                times[f"{kind} {CACHED}"].append(times[kind][-1])
        return {"times": times, "statements": statements, "events": events}

    def list(self, visit: Visit) -> None:
        self._get(visit, "/")

    def conversation(self, visit: Visit) -> None:
        self._get(visit, f"/c/{self._conversation(visit).pk}/")

    def earlier(self, visit: Visit) -> None:
        from conversations import reading
        from conversations.windows import Anchor

        conversation = self._conversation(visit)
        page = reading.message_page(conversation.user, conversation.pk)
        if page.earlier:
            anchor = Anchor("before", page.earlier)
            reading.message_page(conversation.user, conversation.pk, anchor)

    def send(self, visit: Visit) -> None:
        from conversations import sending
        from conversations.models import Message, Reply
        from performance.cache import conversation_cache

        user, conversation = visit.user, self._conversation(visit)
        text = self._question(user)
        message = sending.send(conversation, text, uuid4())
        answer = Message.objects.filter(conversation=conversation).order_by("-pk")[:1]
        reply = Reply.objects.get(message__in=[message.pk, *answer.values_list("pk", flat=True)])
        Message.objects.filter(pk=reply.message_id).update(
            text=self._answer(user, text), html="<p>Yes.</p>"
        )
        Reply.objects.filter(pk=reply.pk).update(status="complete")
        conversation_cache.forget(user, conversation.pk)

    def _answer(self, user: int, text: str) -> str:
        from performance.cache import ToolCall, ai_response_cache, tool_result_cache

        key = ai_response_cache.key(
            backend="default", model="m", messages=[{"role": "user", "text": text}]
        )
        found = ai_response_cache.get(key, user=user)
        if found:
            return str(found.value)
        if self.rng.random() < TOOL_SHARE:
            argument = self.rng.choices(range(TOOL_ARGUMENTS), cum_weights=self._arguments)[0]
            tool_result_cache.remember(
                ToolCall("lookup", 1, {"of": argument}), lambda: "result", ttl=3600
            )
        ai_response_cache.set(key, "Yes.", user=user, complete=True, deterministic=True)
        return "Yes."

    def _question(self, user: int) -> str:
        asked = self.asked[user]
        if asked and self.rng.random() < REPEATED:
            return self.rng.choice(asked)
        asked.append(f"Question {self.rng.random()}?")
        return asked[-1]

    def _visit(self) -> Visit:
        """One of those present, most of whom stay for another event and where they are."""
        while len(self.present) < PRESENT:
            user = self.rng.choices(range(1, USERS + 1), cum_weights=self._users)[0]
            self.present.append(Visit(user, self._rank()))
        place = self.rng.randrange(PRESENT)
        visit = self.present[place]
        if self.rng.random() < 1 / EVENTS_OF_A_VISIT:
            del self.present[place]
        if self.rng.random() > STAYING:
            visit.rank = self._rank()
        return visit

    def _rank(self) -> int:
        return min(int(self.rng.expovariate(0.6)), PER_USER - 1)

    def _conversation(self, visit: Visit) -> Any:
        """Read before, outside of what is counted: the click knows its conversation."""
        return self._conversations(visit.user)[visit.rank]

    def _conversations(self, user: int) -> list[Any]:
        from conversations.models import Conversation

        known = self.__dict__.setdefault("_known", {})
        if user not in known:
            known[user] = list(
                Conversation.objects.filter(user=user).select_related("user").newest_first()
            )
        found: list[Any] = known[user]
        return found

    def _get(self, visit: Visit, path: str) -> None:
        in_process(self.handler, path, self._cookie(visit.user))()

    def _cookie(self, user: int) -> str:
        from django.contrib.auth.models import User

        if user not in self.cookies:
            self.cookies[user] = signed_in(User.objects.get(pk=user))
        return self.cookies[user]


def _handler() -> Any:
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler()


@contextmanager
def _another_world() -> Iterator[None]:
    """What is sent with the caches off must not empty them for the rounds with the caches on."""
    from unittest.mock import patch

    from performance.cache.conversations import ConversationCache

    with patch.object(ConversationCache, "forget"):
        yield


class _Counter:
    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.number += 1
        return execute(*arguments)


def _hits() -> dict[str, dict[str, float]]:
    from django.core.cache import caches

    aliases = ("conversations", "ai_responses", "tool_results")
    return {alias: dict(caches[alias].stats()) for alias in aliases}


def _rates(before: Figures, after: Figures) -> Figures:
    """Of the rounds alone, by cache and namespace."""
    found: Figures = {}
    for alias, counts in after.items():
        then = before[alias]
        found[alias] = {"all": _rate(then, counts)}
        for name, space in counts["namespaces"].items():
            found[alias][name] = _rate(then["namespaces"].get(name), space)
    return found


def _rate(before: Figures | None, after: Figures) -> float | None:
    hits = after["all_hits"] - (before["all_hits"] if before else 0)
    misses = after["misses"] - (before["misses"] if before else 0)
    return round(hits / (hits + misses), 4) if hits + misses else None


def _medians(runs: list[Figures]) -> Figures:
    pages: Figures = {}
    for kind in (*KINDS, *(f"{kind} {CACHED}" for kind in KINDS)):
        each = [sorted(run["times"][kind]) for run in runs if run["times"][kind]]
        if not each:
            continue
        pages[kind] = {
            "p50_ms": round(statistics.median(times[len(times) // 2] for times in each), 3),
            "p95_ms": round(statistics.median(times[int(len(times) * 0.95)] for times in each), 3),
            "statements": round(
                sum(run["statements"][kind] for run in runs)
                / sum(len(run["times"][kind]) for run in runs),
                2,
            ),
            "number": sum(len(run["times"][kind]) for run in runs),
        }
    total = sum(sum(run["statements"].values()) for run in runs) / sum(
        run["events"] for run in runs
    )
    return {"pages": pages, "statements_per_event": round(total, 2)}


def _ratios(figures: Figures) -> Figures:
    on, off = figures["on"], figures["off"]

    def less(kind: str, name: str) -> float:
        return round(1 - on["pages"][kind][name] / off["pages"][kind][name], 3)

    def less_of_cached(name: str) -> Figures:
        return {
            kind: round(1 - on["pages"][f"{kind} {CACHED}"][name] / off["pages"][kind][name], 3)
            for kind in KINDS
            if f"{kind} {CACHED}" in on["pages"]
        }

    shown = ("list", "conversation", "earlier")
    from_cache = sum(on["pages"].get(f"{kind} {CACHED}", {"number": 0})["number"] for kind in shown)
    return {
        "pages_from_cache": round(
            from_cache / sum(on["pages"][kind]["number"] for kind in shown), 3
        ),
        "statements_less": round(1 - on["statements_per_event"] / off["statements_per_event"], 3),
        "statements_of_pages_less": {
            kind: less(kind, "statements") for kind in ("list", "conversation", "earlier")
        },
        "p50_less": {kind: less(kind, "p50_ms") for kind in ("list", "conversation", "earlier")},
        "p95_less": {kind: less(kind, "p95_ms") for kind in ("list", "conversation", "earlier")},
        "p50_of_cached_pages_less": less_of_cached("p50_ms"),
        "p95_of_cached_pages_less": less_of_cached("p95_ms"),
        "hit_rate": {alias: rates["all"] for alias, rates in figures["hit_rate"].items()},
    }
