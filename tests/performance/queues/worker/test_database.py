from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from performance.queues.worker.database import DatabaseThreads


def _ask() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return len(connection.queries_log)


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_remember_statements_for_ever(settings: Any) -> None:
    """With DEBUG on, Django forgets them when a request begins, which a worker never sees."""
    settings.DEBUG = True
    threads = DatabaseThreads(1)
    executor = threads._executors[0]
    try:
        assert [executor.submit(_ask).result() for _ in range(3)] == [1, 2, 3]
        threads.tidy(idle=True)
        assert executor.submit(_ask).result() == 1
    finally:
        threads.close()
