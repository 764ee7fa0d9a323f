from __future__ import annotations

import contextlib
import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand
from redis.exceptions import RedisError

from performance.cache.fleet import caches_of_ours, collect
from performance.management.arguments import whole

COLUMNS = (
    ("hit rate", "hit_rate"), ("in process", "local_share"), ("hits", "all_hits"), ("misses", "misses"),
    ("stale", "stale_served"), ("sets", "sets"), ("deletes", "deletes"), ("loads", "loads"),
    ("evicted", "evictions"), ("errors", "errors"), ("unreadable", "unreadable"), ("stored/raw", "stored_ratio"),
)  # fmt: skip
MOST_MINUTES = 120  # for which counts are kept
RATES = {"hit_rate", "local_share", "stored_ratio"}


class Command(BaseCommand):
    help = (
        "Hits, misses and costs of the caches, over all processes. Exit status 1: a server is away."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--minutes",
            type=whole(1, MOST_MINUTES),
            default=60,
            help=f"how far to look back: 1 to {MOST_MINUTES}",
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--watch", type=_seconds, nargs="?", const=2, metavar="SECONDS", help="repeat"
        )

    def handle(self, **options: Any) -> None:
        found = self._write(options)
        if options["watch"] is not None:
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(options["watch"])
                    found = self._write(options)
        if any("error" in report for report in found.values()):
            raise SystemExit(1)

    def _write(self, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
        found = {
            alias: _read(cache, options["minutes"]) for alias, cache in caches_of_ours().items()
        }
        if options["format"] == "json":
            self.stdout.write(json.dumps(found))
        else:
            self._write_table(found)
        return found

    def _write_table(self, found: dict[str, dict[str, Any]]) -> None:
        width = max(
            (len(f"  {n}") for r in found.values() for n in (*r.get("namespaces", ()), " " * 16)),
            default=18,
        )
        self.stdout.write(" ".join([" " * width, *(f"{title:>10}" for title, _ in COLUMNS)]))
        for alias, report in found.items():
            if "error" in report:
                self.stdout.write(self.style.ERROR(f"{alias:<{width}} {report['error']}"))
                continue
            self.stdout.write(_row(f"{alias:<{width}}", report))
            for name, counts in report["namespaces"].items():
                self.stdout.write(_row(f"{'  ' + name:<{width}}", counts))
            for kind, number in report["errors_by_class"].items():
                self.stdout.write(f"  failed: {kind} {number:,}")
            self.stdout.write(
                f"  server round trip {_times(report['latency_ms'])}; load {_times(report['load_ms'])}"
            )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _read(cache: Any, minutes: int) -> dict[str, Any]:
    try:
        return collect(cache, minutes)
    except (OSError, RedisError) as error:
        return {"error": f"its server does not answer ({type(error).__name__})"}


def _row(title: str, counts: dict[str, Any]) -> str:
    cells = []
    for _, name in COLUMNS:
        value = counts[name]
        shown = "-" if value is None else f"{value:.1%}" if name in RATES else f"{value:,.0f}"
        cells.append(f"{shown:>10}")
    return " ".join([title, *cells])


def _times(quantiles: dict[str, float | None]) -> str:
    return ", ".join(
        f"{name} {'-' if ms is None else f'{ms:.2f} ms'}" for name, ms in quantiles.items()
    )
