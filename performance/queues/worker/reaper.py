"""Hands on what dead workers held; parks what killed too many of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import redis
import structlog
from django.tasks.signals import task_finished

from performance.queues import scripts
from performance.queues.clock import rq_time
from performance.queues.levels import Level
from performance.queues.worker import outcomes
from performance.queues.worker.run import Run, from_claim
from performance.queues.worker.telling import tell

logger = structlog.get_logger(__name__)


class Reaper:
    """Call it every third of a lease. `ended` hears of each lost run, `parked` of the parked ones."""

    def __init__(
        self,
        client: redis.Redis,
        most: int,
        *,
        ended: Callable[[Run], None],
        parked: Callable[[Run], None],
    ) -> None:
        self._client = client
        self._most = most
        self._ended = ended
        self._parked = parked

    def __call__(self) -> None:
        """Raises redis.RedisError."""
        answers = scripts.run(self._client, "reap", self._call())
        recovered: Counter[str] = Counter()
        for action, *row in answers:
            if action == b"missing":
                logger.error("lease_without_job", task_id=row[0].decode(errors="replace"))
                continue
            run = _lost(row)
            if action == b"parked":
                self._park(run)
            else:
                outcomes.lost(run)
                recovered[run.worker] += 1
            self._ended(run)
        for worker, count in recovered.items():
            logger.warning("tasks_recovered", tasks=count, from_worker=worker)

    def _park(self, run: Run) -> None:
        outcomes.parked(run)
        tell(task_finished, run)
        self._parked(run)

    def _call(self) -> bytes:
        now = time.time()
        return msgspec.msgpack.encode(
            {
                "levels": list(Level),
                "iso_now": rq_time(now),
                "unix_now": now,
                "most": self._most,
            }
        )


def _lost(row: list[Any]) -> Run:
    """The run as far as its job still tells of it; when it died nobody knows."""
    worker, started_at, *claimed = row
    run = from_claim(claimed, worker.decode())
    run.recall_start(started_at.decode())
    try:
        run.prepare()
    except Exception:  # noqa: BLE001 - no task of ours, or damaged: told without its name
        logger.debug("lost_run_unreadable", task_id=run.id)
    return run
