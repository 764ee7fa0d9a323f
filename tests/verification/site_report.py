"""`python -m tests.verification.site_report [--messages 1000000]`: the site's own database, analysed.

The real tables and indexes with a million messages, asked by the pages, by search, by the sweepers and by
the dashboard, then `analyze_queries --format markdown`. docs/query-analysis-example.md is what it printed.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from typing import Any

from tests.benchmarks.servers import test_database


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=300)
    options = parser.parse_args(arguments)
    with test_database():
        from django.core.management import call_command
        from django.test.utils import override_settings

        from tests.benchmarks import cached_chat

        users, each = cached_chat.USERS, cached_chat.PER_USER
        dummy = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend", "QUEUES": []}}
        with override_settings(TASKS=dummy, DEBUG=False, PERFORMANCE={"CACHE": {"ENABLED": False}}):
            cached_chat.seed(users=users, per_user=each, each=options.messages // (users * each))
            _ask(options.events)
            call_command("analyze_queries", format="markdown", source="pgss", limit=25)


# Which the benchmark's seeding leaves out.
SEARCH_ENTRIES = """
INSERT INTO conversations_searchentry (message_id, user_id, role, created_at, document)
    SELECT m.id, c.user_id, m.role, m.created_at, to_tsvector('english', m.text)
    FROM conversations_message m JOIN conversations_conversation c ON c.id = m.conversation_id
"""


def _ask(events: int) -> None:
    from django.db import connection

    from tests.benchmarks.cached_chat import Day

    with connection.cursor() as cursor:
        cursor.execute(SEARCH_ENTRIES)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        cursor.execute("SELECT pg_stat_statements_reset()")
    day = Day(1)
    day.run(events)
    _others(day)


def _others(day: Any) -> None:
    """Search, and what tasks do by themselves."""
    from django.urls import NoReverseMatch, reverse

    from conversations import tasks
    from performance import tasks as ours

    with suppress(NoReverseMatch):  # a site without search
        search = reverse("conversations:search")
        for user in range(1, 11):
            day._client(user).get(search, {"q": "answer"})
    for module in (tasks, ours):
        for name in dir(module):
            if name.startswith(("sweep", "prune")):
                # What wants Redis is not the database's concern here.
                with suppress(Exception):
                    getattr(module, name).func()


if __name__ == "__main__":
    main(sys.argv[1:])
