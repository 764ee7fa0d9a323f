"""The rollup by hand: after an outage, or where no worker runs."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from performance.management.failures import no_database, no_redis
from performance.management.progress import Progress
from performance.metrics import MetricsUnavailable, rollup


class Command(BaseCommand):
    help = (
        "Turns the live metrics into rows of minutes and hours. Running it twice changes nothing. "
        "Exit status 1: another process is at it. 2: Redis or PostgreSQL does not answer, or has "
        "no tables yet."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *_args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        try:
            result = rollup.roll_up(lambda done, of: progress("minute", done, of))
        except MetricsUnavailable as error:
            raise no_redis(error) from None
        except DatabaseError as error:
            raise no_database(error) from None
        finally:
            progress.end()
        if options["format"] == "json":
            self.stdout.write(json.dumps(dataclasses.asdict(result)))
        elif result.busy:
            self.stdout.write("Another process is rolling up.")
        else:
            self.stdout.write(
                f"{result.minutes} minutes looked at: {result.minute_rows} rows of minutes and "
                f"{result.hour_rows} of hours are new or have grown."
            )
        if result.busy:
            sys.exit(1)
