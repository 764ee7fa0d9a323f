"""The queue server behind Sentinel: a worker and its tasks go on after a failover."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.tasks import TaskResultStatus

from performance.queues import connection, enqueue_many
from tests.performance.queues.conftest import LEVELS, Workers, eventually
from tests.performance.queues.jobs import tasks
from tests.servers import ThrowAwaySentinel, ThrowAwayValkey

JOBS = 400


@pytest.fixture
def primary(settings: Any, tmp_path: Path) -> Iterator[ThrowAwayValkey]:
    """A primary that has a replica and a Sentinel, which the settings name."""
    with ThrowAwayValkey(tmp_path) as first:
        replicaof = ("--replicaof", f"127.0.0.1 {first.port}", "--repl-diskless-sync-delay", "0")
        first.client().config_set("repl-diskless-sync-delay", 0)
        with (
            ThrowAwayValkey(tmp_path, *replicaof) as second,
            ThrowAwaySentinel(tmp_path, first, "queue") as sentinel,
        ):
            eventually(lambda: second.client().info()["master_link_status"] == "up")
            eventually(lambda: sentinel.client().sentinel_slaves("queue"))
            place = {
                "SENTINELS": [("127.0.0.1", sentinel.port)],
                "MASTER_NAME": "queue",
                "DB": 0,
                "DEFAULT_TIMEOUT": 600,
            }
            settings.RQ_QUEUES = dict.fromkeys(LEVELS, place)
            yield first


@pytest.mark.slow  # a failover takes seconds
def test_a_worker_goes_on_at_the_new_primary(primary: ThrowAwayValkey) -> None:
    workers = Workers("")
    try:
        worker = workers.begin(concurrency=20)
        before = tasks.add.enqueue(1, 2)
        eventually(lambda: worker.dispatcher and worker.dispatcher.ended)
        results = enqueue_many(tasks.sleep, [((0.05,), {})] * JOBS)
        client = connection.client()
        eventually(lambda: client.zcard("rq:finished:normal") > JOBS // 10)
        primary.kill()

        eventually(lambda: finished() > JOBS, within=60)
        client = connection.client()
        eventually(lambda: at(client) not in {0, primary.port}, within=60)
        for result in (before, *results):
            result.refresh()
        assert {result.status for result in (before, *results)} == {TaskResultStatus.SUCCESSFUL}
        after = tasks.add.enqueue(3, 4)
        eventually(lambda: tasks.add.get_result(after.id).is_finished)
    finally:
        workers.end()


def at(client: Any) -> int:
    """The port of the primary; 0 while the sentinel knows of none."""
    try:
        port: int = client.connection_pool.get_master_address()[1]
    except connection.redis.RedisError:
        return 0
    return port


def finished() -> int:
    """0 while there is no primary."""
    try:
        count: int = connection.client().zcard("rq:finished:normal")
    except connection.redis.RedisError:
        return 0
    return count
