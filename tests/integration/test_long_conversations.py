"""What a request costs does not grow with the conversation: statements, rows, blocks and bytes are counted."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, Message
from performance.cache import conversation_cache
from tests.factories import ConversationFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]

LENGTHS = (200, 10_000, 100_000)  # the first has a whole page on both sides of its middle
MANY = """
INSERT INTO conversations_message (conversation_id, branch_id, place, role, text, html, renderer, created_at)
SELECT %s, %s, n, 'user', 'A question.', '<p>A question.</p>', 99, timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(%s::int, %s::int) n
"""
DEEPER = 30  # blocks: an index of one more level costs one at each descent, a scan hundreds


@dataclass
class Cost:
    statements: int
    rows: int
    blocks: int
    size: int


class Reader:
    """Its owner's browser, before a cold cache each time."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.client = Client()
        self.client.force_login(conversation.user)
        self.own = conversation.get_absolute_url()

    def grow(self, first: int, last: int) -> None:
        with connection.cursor() as cursor:
            # What is searched for is no part of these pages.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE conversations_message DISABLE TRIGGER USER")
            branch = self.conversation.shown_branch.pk
            cursor.execute(MANY, [self.conversation.pk, branch, first, last])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE conversations_message ENABLE TRIGGER USER")
            cursor.execute("ANALYZE conversations_message")

    def cost(self, ask: Callable[[], Any]) -> Cost:
        conversation_cache.clear()
        counted = _Rows()
        with connection.execute_wrapper(counted), CaptureQueriesContext(connection) as queries:
            response = ask()
        assert response.status_code in {200, 201, 303}, response.content
        reads = [q["sql"] for q in queries if q["sql"].startswith(("SELECT", "WITH"))]
        return Cost(len(queries), counted.rows, sum(map(_blocks, reads)), len(response.content))


class _Rows:
    """Rows that statements brought."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = execute(sql, params, many, context)
        self.rows += max(context["cursor"].cursor.rowcount, 0)
        return found


def _blocks(sql: str) -> int:
    """That PostgreSQL touches for it."""
    if "FOR UPDATE" in sql:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall()).split("Planning:")[0]
    found = re.search(r"Buffers: shared (.+)", plan)
    return sum(int(count) for count in re.findall(r"(?:hit|read)=(\d+)", found[1])) if found else 0


def asked(reader: Reader, length: int) -> dict[str, Callable[[], Any]]:
    get, own = reader.client.get, reader.own
    middle = Message.objects.get(conversation=reader.conversation, place=length // 2).pk
    fragment = {"HX-Request": "true"}
    return {
        "the newest": lambda: get(own),
        "around a message": lambda: get(f"{own}?at={middle}"),
        "scrolled up": lambda: get(f"{own}messages/?before={middle}", headers=fragment),
        "scrolled down": lambda: get(f"{own}messages/?after={middle}", headers=fragment),
        "one message": lambda: get(f"{own}messages/{middle}/", headers=fragment),
        "a day": lambda: get(f"{own}look/?day=2026-01-01"),
        "the list": lambda: get("/"),
        "sent": lambda: reader.client.post(
            f"{own}messages/", {"text": "More", "key": str(uuid.uuid4())}
        ),
    }


@pytest.mark.slow
def test_nothing_grows_from_two_hundred_messages_to_a_hundred_thousand() -> None:
    reader = Reader(ConversationFactory(user=UserFactory()))
    found: dict[str, list[Cost]] = {}
    grown = 0
    for length in LENGTHS:
        reader.grow(grown + 1, length)
        grown = length
        reader.client.get(reader.own)  # who is asking is in the cache from here on
        for name, ask in asked(reader, length).items():
            found.setdefault(name, []).append(reader.cost(ask))
        Message.objects.filter(place__gt=length).delete()  # what was sent
    for name, costs in found.items():
        first = costs[0]
        for cost in costs[1:]:
            assert (cost.statements, cost.rows) == (first.statements, first.rows), (name, costs)
            assert cost.blocks <= first.blocks + DEEPER, (name, costs)
            assert cost.size <= first.size * 1.05, (name, costs)  # numbers have more digits
    assert max(cost.rows for costs in found.values() for cost in costs) <= 120
