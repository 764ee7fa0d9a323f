"""`manage.py analyze_queries`: which statements hurt, why, and what cures them."""

from __future__ import annotations

import re
import sys
import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from performance.management.arguments import whole
from performance.queries.analysis import (
    FORMATS,
    AnalysisError,
    Options,
    Report,
    Severity,
    analyse,
    keep,
    look_for_applied,
    render,
)

CLEAN, FOUND, FAILED = 0, 1, 2
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
BAR = 30  # characters of the progress bar


def period(text: str) -> timedelta:
    """A period such as 90m, 24h or 7d."""
    match = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if match is None or not int(match[1]):
        raise ValueError(text)
    return timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(BaseCommand):
    help = (
        "Shows which statements cost most, what is wrong with them and with the database, and the indexes "
        "that would help. Changes nothing in the database that it analyses. Exit status: 0 nothing at or above --fail-on, 1 something, "
        "2 it could not be analysed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="alias in DATABASES")
        parser.add_argument("--format", choices=FORMATS, default="text")
        parser.add_argument(
            "--limit", type=whole(1, 10**6), default=20, help="statements shown (default: 20)"
        )
        parser.add_argument(
            "--since",
            type=period,
            default=timedelta(days=1),
            help="period: 90m, 24h, 7d (default: 24h)",
        )
        parser.add_argument(
            "--min-calls", type=whole(1, 10**9), default=1, help="leave out what ran less often"
        )
        parser.add_argument("--app", default="", help="only statements on this app's tables")
        parser.add_argument("--source", choices=["both", "app", "pgss"], default="both")
        parser.add_argument(
            "--verify", choices=["auto", "hypopg", "clone", "none"], default="auto",
            help="how indexes are proven: HypoPG where installed (auto), a throw-away database with "
            "sampled rows (clone), or by the planner's formulas alone (none)",
        )  # fmt: skip
        parser.add_argument(
            "--analyze", action="store_true",
            help="run reading statements under EXPLAIN ANALYZE, read-only and with a timeout",
        )  # fmt: skip
        parser.add_argument(
            "--save",
            action="store_true",
            help="keep findings and suggestions for the admin's pages",
        )
        parser.add_argument(
            "--fail-on", choices=["critical", "warning"], help="exit with 1 at this severity"
        )
        parser.add_argument(
            "--watch",
            type=whole(1, 86_400),
            metavar="SECONDS",
            nargs="?",
            const=10,
            help="again and again",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["watch"]:
            self._watch(options)
            return
        report = self._report(options)
        if options["save"]:
            keep(report, options["database"])
            look_for_applied(options["database"])
        self.stdout.write(render(report, options["format"], colours=self._colours(options)))
        if options["fail_on"] and report.at_least(Severity(options["fail_on"])):
            sys.exit(FOUND)

    def _colours(self, options: dict[str, Any]) -> bool:
        return not options["no_color"] and (options["force_color"] or self.stdout.isatty())

    def _report(self, options: dict[str, Any]) -> Report:
        wanted = Options(
            limit=options["limit"], since=options["since"], min_calls=options["min_calls"],
            app=options["app"], source=options["source"], analyze=options["analyze"],
            verify=options["verify"],
        )  # fmt: skip
        try:
            return analyse(options["database"], wanted, self._progress)
        except AnalysisError as error:
            raise CommandError(str(error), returncode=FAILED) from None
        finally:
            self._clear()

    def _watch(self, options: dict[str, Any]) -> None:
        """Shows the report anew until it is interrupted."""
        try:
            while True:
                shown = render(
                    self._report(options), options["format"], colours=self._colours(options)
                )
                self.stdout.write(("\x1b[2J\x1b[H" if self.stdout.isatty() else "") + shown)
                time.sleep(options["watch"])
        except KeyboardInterrupt:
            self.stdout.write("")

    def _progress(self, stage: str, done: int, of: int) -> None:
        if self.stderr.isatty() and of:
            filled = "#" * round(BAR * done / of)
            self.stderr.write(f"\r{stage:<18} [{filled:<{BAR}}] {done} of {of}", ending="")
            self.stderr.flush()

    def _clear(self) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r" + " " * 80 + "\r", ending="")
