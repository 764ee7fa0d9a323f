"""Search in a million messages: 1,000 users, one of whom wrote a fifth of them all.

python -m tests.benchmarks search [--messages 1000000] [--rounds 5] [--plans]

Texts are 50 words drawn by a power law from 20,000, so the commonest is in nearly every message and the
rarest in some. Each kind of question is asked by 40 ordinary users and by the big one, through
`searching.search`, in turn; the times are those of all its statements and of the rows' Python.
Round 1 warms the buffers and is not counted. "rare ILIKE" is the same rare word by ILIKE, for comparison.
"cpu" is the time that PostgreSQL's process and Python's thread were on a core, as Linux counts it: beside
other work on the machine the times grow and it does not.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.servers import test_database

USERS, WORDS, LENGTH = 1000, 20_000, 50
LETTERS = "bakidolemu"  # for the digits of a word's rank: word 12,345 is "akido"
BIG = 1  # the user with a fifth of all messages

SEED = """
SELECT setseed(0.5);
INSERT INTO auth_user (id, username, password, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined)
    SELECT n, 'user' || n, '!', '', '', '', true, false, false, now() FROM generate_series(1, {users}) n;
INSERT INTO conversations_conversation (id, user_id, title, created_at, last_message_at, reuse_answers, title_is_chosen)
    SELECT gen_random_uuid(), CASE WHEN c % 5 = 0 THEN 1 ELSE 2 + c % ({users} - 1) END, 'Conversation ' || c,
        now() - interval '400 days', now() - (c % 400) * interval '1 day', true, false
    FROM generate_series(1, {messages} / 50) c;
INSERT INTO conversations_branch (conversation_id, fork) SELECT id, 0 FROM conversations_conversation;
INSERT INTO conversations_message (conversation_id, branch_id, place, role, text, html, renderer, created_at)
    SELECT c.id, b.id, m, CASE m % 2 WHEN 1 THEN 'user' ELSE 'assistant' END,
        (SELECT string_agg(translate((1 + floor({words} * power(random(), 4))::int + m * 0)::text, '0123456789', '{letters}'), ' ' ORDER BY s) FROM generate_series(1, {length}) s),
        '', 0, last_message_at - (50 - m) * interval '1 minute'
    FROM conversations_conversation c JOIN conversations_branch b ON b.conversation_id = c.id,
        generate_series(1, 50) m;
DROP INDEX search_entry_words;
INSERT INTO conversations_searchentry (message_id, user_id, role, created_at, document)
    SELECT m.id, c.user_id, m.role, m.created_at, to_tsvector('english', m.text)
    FROM conversations_message m JOIN conversations_conversation c ON c.id = m.conversation_id;
CREATE INDEX search_entry_words ON conversations_searchentry USING gin (user_id, document);
ANALYZE
"""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="search")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plans", action="store_true", help="print the slow plans as well")
    options = parser.parse_args(arguments)
    with test_database():
        began = time.perf_counter()
        seed(options.messages)
        print(f"{options.messages:,} messages in {time.perf_counter() - began:.0f} s", flush=True)
        figures = measure(options.rounds)
        if options.plans:
            plans()
        figures["megabytes"] = _sizes()
    own = [entry for name, entry in figures.items() if "ILIKE" not in name and "p95_ms" in entry]
    worst, cpu = (max(entry[key] for entry in own) for key in ("p95_ms", "cpu_p95_ms"))
    less = figures["ordinary rare ILIKE"]["p95_ms"] / figures["ordinary rare"]["p95_ms"]
    ratios = {
        "worst_p95_ms": worst,
        "worst_cpu_p95_ms": cpu,
        "ilike_to_index": round(less, 1),
    }
    print(json.dumps({"name": "search", "figures": figures, "ratios": ratios}))


def seed(messages: int) -> None:
    from django.db import connection

    statements = SEED.format(
        users=USERS, words=WORDS, length=LENGTH, letters=LETTERS, messages=messages
    )
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("ALTER TABLE conversations_message DISABLE TRIGGER USER")
        for statement in filter(str.strip, statements.split(";")):
            cursor.execute(statement)
        cursor.execute("ALTER TABLE conversations_message ENABLE TRIGGER USER")


def measure(rounds: int) -> dict[str, Any]:
    lexicon = _lexicon()
    rng = random.Random(1)
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    on_core = _on_core()
    for number in range(rounds + 1):
        for kind, ask in _questions(lexicon).items():
            for user in [*rng.sample(range(2, USERS), 40), *[BIG] * 10]:
                began, cpu = time.perf_counter(), on_core()
                ask(user, rng)
                took = (time.perf_counter() - began) * 1000, on_core() - cpu
                who = "big" if user == BIG else "ordinary"
                if number:
                    times[f"{who} {kind}"].append(took)
    return {kind: _quantiles(each) for kind, each in sorted(times.items())}


def _on_core() -> Callable[[], float]:
    """A clock in ms of the CPU time of this connection's process and of this thread."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        statistics = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    return lambda: int(statistics.read_text().split()[0]) / 1e6 + time.thread_time() * 1e3


def _questions(lexicon: list[str]) -> dict[str, Callable[[int, random.Random], Any]]:
    from conversations.models import Message
    from conversations.searching import Search, search

    def ask(user: int, words: str, **filters: Any) -> Any:
        return search(_user(user), Search(words, **filters))

    def like(user: int, rng: random.Random) -> Any:
        own = Message.objects.filter(conversation__user_id=user)
        return list(own.filter(text__icontains=rng.choice(lexicon[10_000:])).order_by("-pk")[:20])

    return {
        "common": lambda user, rng: ask(user, rng.choice(lexicon[9:20])),
        "usual": lambda user, rng: ask(user, rng.choice(lexicon[50:500])),
        "rare": lambda user, rng: ask(user, rng.choice(lexicon[10_000:])),
        "two words": lambda user, rng: ask(user, " ".join(rng.sample(lexicon[9:200], 2))),
        "filtered": lambda user, rng: ask(
            user,
            rng.choice(lexicon[:500]),
            role="user",
            until=date.today() - timedelta(days=300),  # noqa: DTZ011
        ),
        "misspelt": lambda user, rng: ask(user, _misspelt(rng.choice(lexicon[100:2000]), rng)),
        "rare ILIKE": like,
    }


def _misspelt(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + "x" + word[at:]


def _user(number: int) -> Any:
    from django.contrib.auth.models import User

    return User(pk=number)


def _lexicon() -> list[str]:
    """The words, the commonest first."""
    letters = str.maketrans("0123456789", LETTERS)
    return [str(number).translate(letters) for number in range(1, WORDS + 1)]


def plans() -> None:
    """The plan of the statement that finds the matches, for a common and a rare word of the big user."""
    from django.db import connection

    lexicon = _lexicon()
    for word in (lexicon[10], lexicon[300], lexicon[15_000]):
        with connection.cursor() as cursor:
            cursor.execute(
                "EXPLAIN (ANALYZE, BUFFERS) SELECT message_id FROM conversations_searchentry WHERE user_id = %s"
                " AND document @@ websearch_to_tsquery('english'::regconfig, %s)"
                " ORDER BY created_at DESC, message_id DESC LIMIT 200",
                [BIG, word],
            )
            print(word, *(row[0] for row in cursor.fetchall()), sep="\n  ")


def _sizes() -> dict[str, float]:
    from django.db import connection

    names = ["conversations_message", "conversations_searchentry", "search_entry_words"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n, pg_relation_size(n::regclass) / 1e6 FROM unnest(%s::text[]) n", [names]
        )
        return {name: round(float(size)) for name, size in cursor.fetchall()}


def _quantiles(each: list[tuple[float, float]]) -> dict[str, float]:
    found = {}
    for name, values in zip(("", "cpu_"), zip(*each, strict=True), strict=True):
        ordered = sorted(values)
        found[f"{name}p50_ms"] = round(ordered[len(ordered) // 2], 2)
        found[f"{name}p95_ms"] = round(ordered[int(len(ordered) * 0.95)], 2)
    return found
