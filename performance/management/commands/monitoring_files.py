"""Writes what Prometheus and Grafana read, from the definitions of our own metrics and alerts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from performance.management import grafana_board, prometheus_rules, prometheus_tests

NOTE = "# Written by manage.py monitoring_files; change the definitions, not this file.\n"


def files() -> dict[str, str]:
    """Path below the directory, and contents."""
    return {
        "prometheus/rules.yml": _yaml(prometheus_rules.rule_file()),
        "prometheus/rules_test.yml": _yaml(prometheus_tests.test_file()),
        "grafana/dashboard.json": json.dumps(grafana_board.board(), indent=2) + "\n",
    }


def _yaml(document: dict[str, Any]) -> str:
    return NOTE + "\n".join(_lines(document, "")) + "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    """YAML of dicts and lists; a scalar is written as JSON, which YAML takes."""
    for key, item in value.items():
        if isinstance(item, dict) and item:
            yield f"{indent}{key}:"
            yield from _lines(item, indent + "  ")
        elif isinstance(item, list) and item:
            yield f"{indent}{key}:"
            for entry in item:
                yield from _entry(entry, indent + "  ")
        else:
            yield f"{indent}{key}: {json.dumps(item)}"


def _entry(entry: Any, indent: str) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"{indent}- {json.dumps(entry)}"
        return
    first, *rest = _lines(entry, indent + "  ")
    yield f"{indent}- {first.lstrip()}"
    yield from rest


class Command(BaseCommand):
    help = (
        "Writes the Prometheus rules with their tests and the Grafana dashboard below --directory. "
        "With --check nothing is written; exit status 1: a file is not what it should be."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--directory", type=Path, default=Path("deploy"))
        parser.add_argument("--check", action="store_true")

    def handle(self, *_args: Any, directory: Path, check: bool, **_options: Any) -> None:
        changed = {
            path: text
            for name, text in files().items()
            if not (path := directory / name).exists() or path.read_text() != text
        }
        for path, text in changed.items():
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            self.stdout.write(f"{path} {'is out of date' if check else 'written'}")
        if check and changed:
            sys.exit(1)
