"""What watching adds to a query, ours and others', and what a fingerprint costs.

A part of `python -m tests.benchmarks queries`. Function calls do not move with the load of the machine,
times do: read their ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import timeit
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from performance.queries import fingerprint, hook, scope
from tests.benchmarks.queue_setup import ROOT, Peer, python_of

PEERS = ("bare", "ours", "django-prometheus", "silk", "debug-toolbar")
_PACKAGES = ("django>=6.0,<6.1", "psycopg[binary]", "django-silk", "django-debug-toolbar")
_OTHERS = Peer("others", "query-peers", _PACKAGES, (), lambda python, n: [])
_OURS = Peer("ours", "ours", (), (), lambda python, n: [])
SQL = (
    "SELECT "
    + ", ".join(f'"conversations_message"."column{number}"' for number in range(20))
    + ' FROM "conversations_message" INNER JOIN "auth_user" ON ("a"."b" = "c"."d")'
    ' WHERE "x"."y" = %s ORDER BY "x"."z" DESC LIMIT 21'
)


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Figures by name; the database must be there. Peers whose packages cannot be had are left out."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in PEERS}
    for _ in range(rounds):
        for name in list(found):
            figures = _probe(name, folder)
            if figures is None:
                del found[name]
            else:
                found[name].append(figures)
    return {
        "queries": _added(found),
        "hook_us": {"ours": _hook(ours=True), "prometheus_client": _hook(ours=False)},
        "fingerprint_us": _fingerprints(),
    }


def _probe(name: str, folder: Path) -> dict[str, float] | None:
    peer = _OTHERS if name in {"silk", "debug-toolbar"} else _OURS
    try:
        python = python_of(peer, folder)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name} left out: {error}", file=sys.stderr)
        return None
    database = settings.DATABASES["default"]
    keys = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    environment = {
        **{key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
        "PYTHONPATH": str(ROOT) if peer is _OURS else "",
        "PYTHONWARNINGS": "ignore",
        "PROBE_DATABASE": json.dumps({key: database[key] for key in keys}),
        "PROBE_REDIS": settings.QUEUE_URL,
    }
    script = Path(__file__).parent / "query_peers" / "probe.py"
    ran = subprocess.run(
        [python, script, name, "15"], env=environment, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        print(f"{name} left out: {ran.stderr[-600:]}", file=sys.stderr)
        return None
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures


def _added(found: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    middle = {
        name: {key: statistics.median(one[key] for one in rounds) for key in ("us", "calls")}
        for name, rounds in found.items()
    }
    bare = middle["bare"]
    return {
        name: {
            "added_us": round(figures["us"] - bare["us"], 2),
            "added_calls": round(figures["calls"] - bare["calls"], 1),
            "times_bare": round(figures["us"] / bare["us"], 3),
        }
        for name, figures in middle.items()
    }


class _Cursor:
    cursor: Any

    @property
    def rowcount(self) -> int:
        return 1


def _hook(*, ours: bool) -> dict[str, float]:
    """CPU that is added to a statement that costs nothing: the least of many tries."""
    from prometheus_client import CollectorRegistry, Counter, Histogram

    registry = CollectorRegistry()
    executed = Counter("executed", "", ["alias", "vendor"], registry=registry)
    took = Histogram("took", "", ["alias", "vendor"], registry=registry)
    cursor = _Cursor()
    cursor.cursor = cursor
    context = {"cursor": cursor, "connection": None}
    watch = hook._hook_of("default")

    def bare(sql: str, params: Any, many: bool, context: Any) -> None: ...

    def prometheus(sql: str, params: Any, many: bool, context: Any) -> None:
        executed.labels("default", "postgresql").inc()
        with took.labels("default", "postgresql").time():
            bare(sql, params, many, context)

    def run(call: Any, texts: int, times: int) -> float:
        sqls = [f"SELECT a{number} FROM t WHERE id = %s" for number in range(texts)]
        with scope.open(kind="benchmark") as seen:
            seen.slow = 10**15
            began = time.thread_time_ns()
            for number in range(times):
                for sql in sqls:
                    call(sql, (number,), False, context)
            return (time.thread_time_ns() - began) / (texts * times)

    added = partial(watch, bare) if ours else prometheus
    return {
        name: round(
            (
                min(run(added, *shape) for _ in range(300))
                - min(run(bare, *shape) for _ in range(300))
            )
            / 1000,
            2,
        )
        for name, shape in {
            "5 texts once": (5, 1),
            "5 texts 10 times": (5, 10),
            "1 text 200 times": (1, 200),
        }.items()
    }


def _fingerprints() -> dict[str, float]:
    def least(work: Any, number: int) -> float:
        return round(1e6 * min(timeit.repeat(work, number=number, repeat=5)) / number, 2)

    fingerprint.fingerprint(SQL)
    return {
        "cold": least(lambda: fingerprint._computed(SQL), 200),
        "cached": least(lambda: fingerprint.fingerprint(SQL), 20_000),
        "characters": len(SQL),
    }
