"""What follows once Redis knows how a run has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.tasks.signals import task_finished

from performance.queues.worker.finisher import FENCED, FOLLOW_UP
from performance.queues.worker.run import Run
from performance.queues.worker.telling import tell

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the rest of the worker wants to hear; all called on the loop."""

    ended: Callable[[Run], None]
    follow_up: Callable[[Run], None]
    parked: Callable[[Run], None]


class Ends:
    """Counts the ends, sends Django's signal and calls the hooks."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self.count = 0

    def acknowledged(self, run: Run, answer: int) -> None:
        """`answer` is lua/finish.lua's for this run."""
        if answer == FENCED:
            logger.warning("run_fenced", task=run.name, task_id=run.id, attempt=run.attempt)
            return
        if run.kind == "back":
            return
        self.count += 1
        if run.kind != "retry":
            tell(task_finished, run)
        self._hooks.ended(run)
        if run.kind == "park":
            self._hooks.parked(run)
        if answer == FOLLOW_UP:
            self._hooks.follow_up(run)
