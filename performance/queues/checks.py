"""System checks of the task backend and its queues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import checks
from django.tasks.base import DEFAULT_TASK_QUEUE_NAME

from performance.queues import conf
from performance.queues.levels import Level

if TYPE_CHECKING:
    from performance.queues.backend import RQBackend


def check_backend(backend: RQBackend) -> Iterator[checks.CheckMessage]:
    """Queues that nothing serves and options that mean nothing."""
    yield from _check_queues(backend)
    yield from _check_servers()
    for key in conf.unknown_keys(backend.options):
        yield checks.Error(
            f"TASKS[{backend.alias!r}]['OPTIONS'] has the unknown key {key!r}.",
            hint="The keys are in docs/queues.md.",
            id="performance.E201",
        )


def _check_queues(backend: RQBackend) -> Iterator[checks.CheckMessage]:
    for name in sorted(backend.queues - {DEFAULT_TASK_QUEUE_NAME} - set(Level)):
        yield checks.Error(
            f"TASKS[{backend.alias!r}] names the queue {name!r}, which no worker serves.",
            hint=f"The queues are {', '.join(Level)}.",
            id="performance.E202",
        )


def _check_servers() -> Iterator[checks.CheckMessage]:
    queues = getattr(settings, "RQ_QUEUES", {})
    missing = [level.value for level in Level if level.value not in queues]
    if missing:
        yield checks.Error(
            f"RQ_QUEUES lacks {', '.join(missing)}.",
            hint="All five levels need an entry, with the same server.",
            id="performance.E203",
        )
        return
    servers = {str({**queues[level.value], "SERIALIZER": None}) for level in Level}
    if len(servers) > 1:
        yield checks.Error(
            "The five levels of RQ_QUEUES must have the same settings: one server holds them all.",
            id="performance.E204",
        )
