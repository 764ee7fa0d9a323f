from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_who_waits_for_whom(admin: Admin, place: dict[str, Any], find: Find) -> None:
    admin.execute("CREATE TABLE t (a int)")
    with psycopg.connect(**place) as holder, psycopg.connect(**place) as waiter:
        holder.execute("LOCK TABLE t")
        pid = holder.info.backend_pid
        thread = threading.Thread(target=waiter.execute, args=["LOCK TABLE t"])
        thread.start()
        try:
            found: list[Finding] = []
            while not found:
                found = find("lock_wait")
        finally:
            holder.rollback()
            thread.join()
            waiter.rollback()

    assert f"session {pid} " in found[0].said
    assert found[0].sql == f"SELECT pg_terminate_backend({pid})"


def test_nobody_waits(find: Find) -> None:
    assert find("lock_wait") == []
