"""The worker's second thread: life signs, leases, recovery, schedules, even while the loop is busy."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import redis
import structlog

from performance.queues import scripts
from performance.queues.clock import rq_time
from performance.queues.conf import QueueOptions
from performance.queues.levels import Level
from performance.queues.worker.dispatcher import Dispatcher

logger = structlog.get_logger(__name__)

TICK = 0.5
MOVE_AT_ONCE = 1000
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Heart(threading.Thread):
    """Beats until stopped; a Redis that is away delays it, nothing else."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        client: redis.Redis,
        conf: QueueOptions,
        *,
        reregister: Callable[[], None],
        reap: Callable[[], None],
        chores: Sequence[Callable[[], None]] = (),
    ) -> None:
        super().__init__(name="heart", daemon=True)
        self._dispatcher = dispatcher
        self._client = client
        self._conf = conf
        self._reregister = reregister
        self._reap = reap
        self._chores = chores
        self._stopped = threading.Event()
        self._beat_every = conf.lease / 3
        self._beaten = -math.inf

    def stop(self) -> None:
        """Ends the thread after its present tick."""
        self._stopped.set()

    def run(self) -> None:
        """Ticks twice a second; beats and reaps every third of a lease."""
        while not self._stopped.is_set():
            try:
                if time.monotonic() - self._beaten >= self._beat_every:
                    self._beat_and_reap()
                self.move_due()
                for chore in self._chores:
                    chore()
            except (redis.RedisError, OSError) as error:
                logger.warning("heartbeat_failed", error=type(error).__name__)
            except Exception:
                logger.exception("heart_chore_failed")
            self._stopped.wait(TICK)

    def _beat_and_reap(self) -> None:
        """After an outage all leases look old: the others get a beat to renew theirs first."""
        last = self._beaten
        self.beat()
        self._beaten = time.monotonic()
        if self._beaten - last < 2 * self._beat_every:
            self._reap()

    def beat(self) -> None:
        """Renews all leases; stops the runs whose lease somebody else has."""
        now = time.time()
        runs = self._dispatcher.leased()
        for run in runs:
            run.registered = run.registered or now - run.started > self._beat_every
        known, stops, *lost = scripts.run(
            self._client,
            "renew",
            self._packed(runs=[_lease(run) for run in runs], **self._life(now)),
        )
        if not known:
            self._reregister()
        for job_id in stops:
            self._dispatcher.cancel(job_id.decode())
        for execution in lost:
            self._dispatcher.lost(execution.decode())
        self._check_lag()
        self._check_memory()

    def move_due(self) -> None:
        """Puts scheduled jobs that are due into their queues."""
        while (
            scripts.run(self._client, "move", self._packed(levels=list(Level), most=MOVE_AT_ONCE))
            >= MOVE_AT_ONCE
        ):
            pass

    def _life(self, now: float) -> dict[str, Any]:
        dispatcher = self._dispatcher
        state = {
            "state": "busy" if dispatcher.runs else "idle",
            "in_flight": str(len(dispatcher.runs)),
            "concurrency": str(self._conf.concurrency),
            "memory": str(resident()),
        }
        return {
            "worker": dispatcher.name,
            "lease": self._conf.lease,
            "unix_now": now,
            "ttl": int(self._conf.lease * 4) + 60,
            "fields": [text for pair in state.items() for text in pair],
        }

    def _packed(self, **call: Any) -> bytes:
        return msgspec.msgpack.encode({"iso_now": rq_time(time.time()), **call})

    def _check_lag(self) -> None:
        lag = time.monotonic() - self._dispatcher.tick
        if lag > max(2.0, self._beat_every):
            logger.warning("loop_blocked", seconds=round(lag, 1))

    def _check_memory(self) -> None:
        most = self._conf.max_memory * 1024 * 1024
        if most and resident() > most and not self._dispatcher.stopping:
            logger.warning("memory_limit_reached", megabytes=resident() // 1024 // 1024)
            self._dispatcher.stop()


def _lease(run: Any) -> list[Any]:
    return [run.level, run.id, run.execution, run.registered]


def resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
