"""`manage.py up`: the whole site on one machine."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chatsite import up


class Command(BaseCommand):
    help = (
        "Starts everything for one machine: PostgreSQL and Valkey where no address is set, tables, "
        "a staff account, web server, worker and schedules. Ctrl-C stops it all."
    )
    requires_system_checks = []  # a message that says what to do comes first; children check

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="where to listen (8000)")
        parser.add_argument("--workers", type=int, default=1, help="web server processes (1)")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["workers"] < 1:
            raise CommandError("--workers must be 1 or more.")
        if not 1 <= options["port"] <= 65535:
            raise CommandError("--port must be a number from 1 to 65535.")
        try:
            place = up.Options(options["host"], options["port"], options["workers"])
            up.run(place, options.get("stdout") or sys.stdout)
        except up.Problem as problem:
            self.stderr.write(f"\n{problem}")
            sys.exit(1)
