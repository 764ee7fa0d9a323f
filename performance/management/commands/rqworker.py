"""RQ's own worker, as django-rq starts it, on our queues and with our rules."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.module_loading import import_string
from django_rq.management.commands import rqworker

from performance.queues.job import TaskJob
from performance.queues.levels import Level

JSON = "rq.serializers.JSONSerializer"
JOB = f"{TaskJob.__module__}.{TaskJob.__qualname__}"


class Command(rqworker.Command):
    """django-rq's command without the app's open admin pages; a job still is JSON and a task."""

    help = (
        "RQ's own worker, one job at a time; `manage.py worker` runs many and recovers in seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)  # type: ignore[no-untyped-call]
        parser.set_defaults(serializer=JSON, job_class=JOB)

    def handle(self, *args: str, **options: Any) -> None:
        """Serves the named queues, or all five levels. Raises CommandError on an unsafe option."""
        if options["serializer"] not in {JSON, "json"}:
            raise CommandError(
                f"--serializer {options['serializer']}: jobs are JSON ({JSON}); nothing is unpickled."
            )
        if not issubclass(import_string(options["job_class"]), TaskJob):
            raise CommandError(
                f"--job-class {options['job_class']}: it must be {JOB} or one on it."
            )
        unknown = set(args) - set(Level)
        if unknown:
            raise CommandError(
                f"No level is called {', '.join(sorted(unknown))}: {', '.join(Level)}."
            )
        super().handle(
            *(args or [level.value for level in Level]), **options | {"serializer": JSON}
        )  # type: ignore[no-untyped-call]
