"""Which runs are to stop: cancelled, lost to another worker, over their time."""

from __future__ import annotations

import asyncio
import time

from performance.queues.worker.execution import Execution
from performance.queues.worker.run import Run

INSIST_AFTER = 5.0
"""Seconds after which a run that did not stop is told again."""
REMEMBERED = 30.0
"""Seconds for which a job that is not here yet may still come with a claim on its way."""


class Stops:
    """All of it on the loop; `runs` are the worker's, by execution, and change under it."""

    def __init__(self, runs: dict[str, Run], execution: Execution) -> None:
        self._runs = runs
        self._execution = execution
        self._asked: dict[str, float] = {}
        self.tick = time.monotonic()

    def cancel(self, job_id: str) -> None:
        """Stops the job's run, also one that is still to come."""
        now = time.monotonic()
        self._asked = {key: at for key, at in self._asked.items() if at > now - REMEMBERED}
        self._asked[job_id] = now
        for run in list(self._runs.values()):
            if run.id == job_id:
                self._execution.halt(run, "cancelled")

    def lost(self, execution: str) -> None:
        """Somebody else has the job now."""
        run = self._runs.get(execution)
        if run is not None:
            self._execution.halt(run, "lost")

    def were_asked(self, run: Run) -> bool:
        """Whether the run was cancelled before it came."""
        return run.id in self._asked

    def forget(self, run: Run) -> None:
        """The run has ended."""
        self._asked.pop(run.id, None)

    async def watch(self) -> None:
        """Stops what runs longer than its timeout, and asks again what did not stop."""
        while True:
            await asyncio.sleep(0.1)
            self.tick = time.monotonic()
            for run in list(self._runs.values()):
                self._look_at(run)
            self._execution.tidy(idle=not self._runs)

    def _look_at(self, run: Run) -> None:
        if run.stop_reason is None:
            if run.deadline and self.tick > run.deadline:
                self._execution.halt(run, "timeout")
        elif self.tick - run.stop_at > INSIST_AFTER:
            self._execution.halt(run, run.stop_reason)
