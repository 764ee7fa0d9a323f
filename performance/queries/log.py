"""From an ended scope to the stream that the writer reads, outside of the request.

The flusher's thread of the metrics takes ended scopes out of their buffer, adds them up (`merging`), counts metrics, and sends a batch every few seconds to the same Redis. A
batch whose reply was lost is sent again under its number, and is then not counted again.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import socket
import time
from collections import deque

import redis

from performance import metrics
from performance.metrics import store
from performance.metrics.recording import Recording
from performance.queries import ended, parameters
from performance.queries.batches import Batch, pack
from performance.queries.connections import PoolStatistics
from performance.queries.findings import Finding, Group, findings_of, groups_of
from performance.queries.holding import Held
from performance.queries.merging import Merged
from performance.queries.scope import Scope

logger = logging.getLogger("performance.queries")

STREAM = "{queries}:log"
MOST_BATCHES = 2000
"""In the stream, about; the oldest go where nobody writes them."""
SEND_EVERY = 5.0
MOST_UNSENT = 24
"""Batches kept while Redis is away, two minutes."""


class Log:
    """This process's side of the query log; all but `add` run in the flusher's thread."""

    def __init__(self) -> None:
        self._process = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._number = 0
        self._merged = Merged()
        self._held = Held()
        self._unsent: deque[bytes] = deque()
        self._send_at = 0.0
        self._failed = False

    def add(self, recording: Recording, scope: Scope) -> None:
        """Adds an ended scope."""
        groups = groups_of(scope)
        findings = list(findings_of(scope, groups))
        self._merged.add(scope, groups, findings)
        _count(recording, scope, groups, findings)
        for found, statements in groups:
            for statement in statements:
                parameters.remember(found, statement)
        for finding in findings:
            _tell(scope, finding)

    def tick(self) -> None:
        """Called before each flush of the metrics."""
        if time.monotonic() >= self._send_at:
            self._send_at = time.monotonic() + SEND_EVERY
            self.send()

    def hush(self) -> None:
        """Has it not told that it waits: the flush that it is called by may be the process's last."""
        self._failed = True

    def send(self, *, last: bool = False) -> None:
        """Sends what is there; what Redis does not take is kept for the next time, if there is one."""
        if self._merged or (last and self._held):
            self._unsent.append(pack(self._batch(last=last)))
            if len(self._unsent) > MOST_UNSENT:
                self._unsent.popleft()
                metrics.count("metrics_dropped", reason="queries")
        try:
            while self._unsent:
                fields = {"batch": self._unsent[0]}
                store.client().xadd(STREAM, fields, maxlen=MOST_BATCHES, approximate=True)  # type: ignore[arg-type]
                self._unsent.popleft()
            self._failed = False
        except (redis.RedisError, OSError) as error:
            if not (self._failed or last):
                logger.warning(
                    "The query log waits: Redis does not answer (%s).", type(error).__name__
                )
            self._failed = True

    def _batch(self, *, last: bool) -> Batch:
        merged, self._merged = self._merged, Merged()
        self._number += 1
        batch = merged.batch(self._process, self._number)
        self._held.add(batch.samples)
        batch.samples = self._held.take(time.monotonic(), everything=last)
        return batch


def _count(
    recording: Recording, scope: Scope, groups: list[Group], findings: list[Finding]
) -> None:
    for found, statements in groups:
        for statement in statements:
            labels = {"alias": statement.alias, "kind": found.kind}
            slow = 0
            for took in statement.runs[::2]:
                recording.observe("query_seconds", took / 1e9, labels)
                slow += took >= scope.slow
            if slow:
                recording.count("slow_queries", slow, {"alias": statement.alias})
            for error, times in statement.errors.items():
                recording.count("query_errors", times, {"alias": statement.alias, "error": error})
    kinds = {finding.kind for finding in findings}
    for kind, metric in (("n_plus_one", "n_plus_one"), ("budget", "query_budget_exceeded")):
        if kind in kinds:
            recording.count(metric, 1, {"view": scope.name})


def _tell(scope: Scope, finding: Finding) -> None:
    if finding.kind == "budget":
        logger.warning("query_budget_exceeded: %s took %s", scope.name, finding.remedy)


class _Here:
    log = Log()
    pools = PoolStatistics()


def connect() -> None:
    """Has this process's ended scopes logged."""
    if _replay not in ended.receivers:
        ended.receivers.append(_replay)
        metrics.on_flush(_tick)
        atexit.register(_at_exit)
        os.register_at_fork(after_in_child=_in_child)


def send(*, last: bool = False) -> None:
    """Sends all that has ended until now; `last`: the process ends, see `metrics.flush`."""
    if last:
        _Here.log.hush()
    ended.empty(at_once=True)
    metrics.flush(last=last)
    _Here.log.send(last=last)


def _replay(recording: Recording, scope: Scope) -> None:
    _Here.log.add(recording, scope)


def _tick() -> None:
    ended.empty()
    _Here.pools()
    _Here.log.tick()


def _at_exit() -> None:
    try:
        send(last=True)
    except Exception:
        logger.exception("The last queries were not logged.")


def _in_child() -> None:
    _Here.log = Log()
    _Here.pools = PoolStatistics()
