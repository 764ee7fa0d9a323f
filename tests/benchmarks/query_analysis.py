"""`python -m tests.benchmarks query_analysis`: what the analysis takes, over 10,000 fingerprints.

The query log's rows of 10,000 statements over 20 tables are read, ranked and analysed; the 200 most costly are
planned and their indexes chosen. Time of a fingerprint, cold and cached, stands beside.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from typing import Any

import psycopg

from tests import postgresql

STATEMENTS = 10_000
TABLES = 20
ROUNDS = 3


def main(_arguments: list[str]) -> None:
    """Prints seconds of the whole analysis, and of its parts."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.conf import settings

    from chatsite.embedded import running

    names = tuple(filter(None, os.environ["TEST_EMBEDDED"].split(",")))
    with (
        running(settings.DATA_DIR, names, volatile=True),
        postgresql.scratch(postgresql.embedded(), f"analysis_{os.getpid()}") as place,
    ):
        figures = {"analysis_seconds": _analysis(place), **_fingerprints()}
    ratios = {"fingerprint, cold to cached": figures["cold_us"] / figures["cached_us"]}
    print(json.dumps({"name": "query_analysis", "figures": figures, "ratios": ratios}))


def _statements() -> list[Any]:
    from performance.queries.analysis.statements import Statement
    from performance.queries.fingerprint import fingerprint

    made = []
    for number in range(STATEMENTS):
        table = f"t{number % TABLES}"
        columns = (
            ", ".join(name for at, name in enumerate("abcdefgh") if number // TABLES >> at & 1)
            or "id"
        )
        more = f" AND {'abcdefgh'[number % 8]} > $2" if number % 3 else ""
        order = f" ORDER BY {'abcdefgh'[number % 7]} DESC LIMIT $3" if number % 2 and more else ""
        sql = f"SELECT {columns} FROM {table} WHERE {'abcdefgh'[number % 5]} = $1{more}{order}"
        made.append(
            Statement(
                id=str(fingerprint(sql).id),
                sql=sql,
                calls=10 + number % 90,
                seconds=1000 / (number + 1),
            )
        )
    return made


def _analysis(place: dict[str, Any]) -> float:
    from performance.queries.analysis import Options
    from performance.queries.analysis.analysis import analysed
    from performance.queries.analysis.database import Database

    with psycopg.connect(**place, autocommit=True) as connection:
        for number in range(TABLES):
            columns = ", ".join(
                f"n * {at + 3} % {10 ** (at % 4 + 1)} AS {name}"
                for at, name in enumerate("abcdefgh")
            )
            connection.execute(
                f"CREATE TABLE t{number} AS SELECT n AS id, {columns} FROM generate_series(1, 5000) n".encode()
            )
        connection.execute("ANALYZE")
    statements, times = _statements(), []
    for _ in range(ROUNDS):
        with psycopg.connect(**place) as connection:
            started = time.perf_counter()
            report = analysed(Database(connection), statements, Options())
            times.append(time.perf_counter() - started)
    print(
        f"{len(statements)} statements, {len(report.suggestions)} suggestions, {len(report.findings)} findings"
    )
    return round(statistics.median(times), 2)


def _fingerprints() -> dict[str, float]:
    from performance.queries.fingerprint import fingerprint

    texts = [one.sql for one in _statements()[:2000]]
    cold, cached = [], []
    for number in range(5):
        fresh = [f"{text} -- {number}" for text in texts]
        for into in (cold, cached):
            started = time.perf_counter()
            for text in fresh:
                fingerprint(text)
            into.append((time.perf_counter() - started) / len(fresh) * 1e6)
    return {
        "cold_us": round(statistics.median(cold), 2),
        "cached_us": round(statistics.median(cached), 3),
    }
