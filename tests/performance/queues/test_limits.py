"""Limits, replacement and the most that a level may hold, together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from performance.queues import Level, QueueFull, cancel, inspection, job_lists, levers, scripts
from performance.queues.worker import ConcurrentWorker
from tests.performance.queues.conftest import LEVELS, Workers, eventually, run_waiting_tasks
from tests.performance.queues.jobs import tasks


def claim(server: Any, worker: str = "w", *, first: int = 0) -> list[Any]:
    """Up to 50 jobs, by the script that workers use."""
    call = {
        "worker": worker,
        "first": first,
        "slots": 50,
        "overdue_slots": 0,
        "lease": 15,
        "iso_now": "2026-01-01T00:00:00.000000Z",
        "levels": [{"name": level, "overdue": False} for level in LEVELS],
    }
    rows: list[Any] = scripts.run(server, "claim", msgspec.msgpack.encode(call))
    return rows


def test_blocked_jobs_count_as_waiting(server: Any, set_options: Any) -> None:
    set_options(MAX_LENGTH={"low": 3})
    limited = tasks.limited.using(priority=-100)
    for n in range(5):
        limited.enqueue(user="ann")
        claim(server, first=n)
    with pytest.raises(QueueFull):
        limited.enqueue(user="ann")
    (low,) = [state for state in inspection.levels() if state.level == Level.LOW]
    assert (low.waiting, low.running) == (3, 2)
    assert levers.empty(Level.LOW) == 3
    assert server.keys("rq:own:blocked*") in ([], [b"rq:own:blocked_keys"])
    limited.enqueue(user="ann")


def test_what_is_let_go_is_no_longer_blocked(server: Any, workers: Workers) -> None:
    for _ in range(5):
        tasks.limited.enqueue(user="ann", seconds=0.05)
    workers.begin()
    eventually(lambda: server.zcard("rq:finished:normal") == 5)
    assert not server.exists("rq:own:blocked_at:normal")


def test_blocked_jobs_are_listed_in_their_order(server: Any) -> None:
    results = [tasks.limited.enqueue(user="ann") for _ in range(5)]
    claim(server)
    held = [result.id for result in results[2:]]
    assert [job.id for job in job_lists.jobs(Level.NORMAL, "blocked")] == held
    (second,) = job_lists.jobs(Level.NORMAL, "blocked", first=1, most=1)
    assert (second.id, second.task) == (held[1], tasks.limited.module_path)
    assert second.limit == f"{tasks.limited.module_path}:ann"
    (normal,) = [state for state in inspection.levels() if state.level == Level.NORMAL]
    assert (normal.waiting, normal.blocked, normal.running) == (3, 3, 2)
    assert cancel(held[0]) == "canceled"
    assert [job.id for job in job_lists.jobs(Level.NORMAL, "blocked")] == held[1:]


def test_a_blocked_job_that_is_deleted_is_no_longer_counted(server: Any, workers: Workers) -> None:
    results = [tasks.limited.enqueue(user="ann", seconds=0.01) for _ in range(4)]
    claim(server, first=100)
    server.delete(f"rq:job:{results[2].id}")
    for entry in server.zrange("rq:wip:normal", 0, -1):
        server.zadd("rq:wip:normal", {entry: 1})
    workers.begin()
    eventually(lambda: server.zcard("rq:finished:normal") == 3)
    assert not server.exists("rq:own:blocked_at:normal")


def test_limits_of_two_tasks_with_the_same_key_are_two(server: Any) -> None:
    first = tasks.limited.enqueue(user="all")
    second = tasks.rated.enqueue()
    keys = [server.hget(f"rq:job:{result.id}", "limit_key") for result in (first, second)]
    assert keys[0] != keys[1]


def test_a_rate_is_asked_again_at_a_retry(server: Any) -> None:
    result = tasks.rated.enqueue()
    server.hset(f"rq:job:{result.id}", "rate_granted", "1")
    assert len(claim(server)) == 1
    assert not server.hexists(f"rq:job:{result.id}", "rate_granted")


def test_a_refused_replacement_leaves_the_older_job(server: Any, set_options: Any) -> None:
    set_options(MAX_LENGTH={"low": 1})
    newest = tasks.newest.using(priority=-100)
    later = newest.using(run_after=timezone.now() + timedelta(seconds=60))
    older = later.enqueue(name="a", value=1)
    tasks.add.using(priority=-100).enqueue(1, 2)
    with pytest.raises(QueueFull):
        newest.enqueue(name="a", value=2)
    assert server.hget(f"rq:job:{older.id}", "status") == b"scheduled"


def test_a_replacement_takes_the_place_of_the_older_job(server: Any, set_options: Any) -> None:
    set_options(MAX_LENGTH={"low": 1})
    newest = tasks.newest.using(priority=-100)
    older = newest.enqueue(name="a", value=1)
    newest.enqueue(name="a", value=2)
    assert server.hget(f"rq:job:{older.id}", "status") == b"canceled"
    run_waiting_tasks()
    assert server.lrange("history", 0, -1) == [b"a 2"]


def test_names_that_leases_could_not_tell_are_refused(server: Any) -> None:
    with pytest.raises(ValueError, match="no colon"):
        ConcurrentWorker(LEVELS, name="host:1")
