"""What is claimed, what was measured here, and how to measure it again: docs/benchmarks.md.

python -m tests.benchmarks claims [NAME ...] runs the named benchmarks (all, where none is named), keeps
the JSON of each under .data/benchmarks/ and writes the table of all that is kept. `make bench` does this.
"""

from __future__ import annotations

import json
import operator
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".data" / "benchmarks"
PAGE = ROOT / "docs" / "benchmarks.md"

HEAD = """# What was measured

Made by `make bench` from the table of claims in `tests/benchmarks/claims.py`; the figures of each run are the
JSON line that the benchmark prints last. Measured on {machine}, Python {python}, {date}. Both cores also
carry PostgreSQL, Valkey and the clients; a time on such a machine wobbles, so ratios are of runs in turn.

| claim | target | measured | met | command |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Claim:
    """`where` leads to the figure in the benchmark's JSON; `better` compares it to the target."""

    text: str
    benchmark: str
    where: tuple[str, ...]
    target: float
    better: Callable[[float, float], bool] = operator.ge
    unit: str = ""
    factor: float = 1.0
    why_not: str = "see the notes"

    @property
    def wanted(self) -> str:
        sign = "at least" if self.better is operator.ge else "at most"
        return f"{sign} {self.target:g}{self.unit}"

    @property
    def command(self) -> tuple[str, ...]:
        return (
            ("-m", f"tests.{self.benchmark}")
            if "." in self.benchmark
            else ("-m", "tests.benchmarks", self.benchmark)
        )

    @property
    def spelt(self) -> str:
        return f"`python {' '.join(self.command)}`"


def main(names: list[str]) -> None:
    # "table" runs nothing: the page is made of what earlier runs have left.
    for name in names or sorted({claim.benchmark for claim in CLAIMS}):
        if name != "table":
            run(name)
    PAGE.write_text(table())
    print(f"Wrote {PAGE.relative_to(ROOT)}.")
    print(
        json.dumps({"name": "claims", "figures": {"met": met(), "of": len(CLAIMS)}, "ratios": {}})
    )


def run(name: str) -> None:
    """Runs one benchmark with its output shown, and keeps its last line."""
    print(f"== {name}", flush=True)
    command = [sys.executable, *next(c.command for c in CLAIMS if c.benchmark == name)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        last = ""
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line if line.startswith("{") else last
    if not last:
        raise SystemExit(f"The benchmark {name} failed.")
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(last)


def found(claim: Claim) -> float | None:
    """The figure, or None where its benchmark has not been run."""
    file = KEPT / f"{claim.benchmark}.json"
    if not file.exists():
        return None
    value: Any = json.loads(file.read_text())
    for part in claim.where:
        if not isinstance(value, dict) or part not in value:
            raise SystemExit(f"{claim.benchmark} has no {claim.where}: {claim.text}")
        value = value[part]
    return float(value) * claim.factor


def met() -> int:
    values = [(claim, found(claim)) for claim in CLAIMS]
    return sum(value is not None and claim.better(value, claim.target) for claim, value in values)


def table() -> str:
    """The page: what was measured, and the commands of what was not."""
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    now = datetime.now(UTC).date()
    lines = [HEAD.format(machine=machine, python=platform.python_version(), date=now)]
    for claim in CLAIMS:
        value = found(claim)
        if value is not None:
            verdict = "yes" if claim.better(value, claim.target) else f"no: {claim.why_not}"
            shown = f"{value:,.4g}{claim.unit}"
            lines.append(
                f"| {claim.text} | {claim.wanted} | {shown} | {verdict} | {claim.spelt} |\n"
            )
    missing = sorted({claim.spelt for claim in CLAIMS if found(claim) is None})
    if missing:
        lines.append(f"\nNot measured in this run: {', '.join(missing)}.\n")
    return "".join(lines)


AT_MOST = operator.le
R, F = "ratios", "figures"
CLAIMS: tuple[Claim, ...] = (
    Claim(
        "A cached conversation of 50 messages is read in (first tier, p99)",
        "cache",
        (F, "hit_us", "conversation", "ours-tiered", "p99"),
        1,
        AT_MOST,
        " ms",
        0.001,
    ),
    Claim(
        "The same from Redis (p50)",
        "cache",
        (F, "hit_us", "conversation", "ours-redis", "p50"),
        1,
        AT_MOST,
        " ms",
        0.001,
    ),
    Claim(
        "100 callers in 4 processes who miss one key load it",
        "cache",
        (R, "herd_loads", "ours-tiered"),
        1,
        AT_MOST,
        " times",
    ),
    Claim(
        "Pages of conversations found in the cache",
        "cached_chat",
        (R, "hit_rate", "conversations"),
        70,
        unit=" %",
        factor=100,
    ),
    Claim(
        "Results of tools found in the cache",
        "cached_chat",
        (R, "hit_rate", "tool_results"),
        70,
        unit=" %",
        factor=100,
    ),
    Claim(
        "Answers found in the cache",
        "cached_chat",
        (R, "hit_rate", "ai_responses"),
        70,
        unit=" %",
        factor=100,
        why_not="it is the share of questions that are asked twice, which the workload assumes to be a third",
    ),
    Claim(
        "Statements fewer with the caches on, a day of chat",
        "cached_chat",
        (R, "statements_less"),
        50,
        unit=" %",
        factor=100,
    ),
    Claim(
        "A cached conversation page is faster by (p50)",
        "cached_chat",
        (R, "p50_less", "conversation"),
        70,
        unit=" %",
        factor=100,
    ),
    Claim(
        "A cached list page is faster by (p50)",
        "cached_chat",
        (R, "p50_less", "list"),
        70,
        unit=" %",
        factor=100,
        why_not="what is left is the frame of the page and Django's middleware",
    ),
    Claim(
        "Evaluating 100 rules over 2 million rows takes",
        "alerts",
        (F, "evaluation_ms", "median"),
        100,
        AT_MOST,
        " ms",
    ),
    Claim(
        "The chat's queries take, after the suggested indexes, of the time before",
        "verification.advice_effect",
        (R, "chat"),
        50,
        AT_MOST,
        " %",
        100,
    ),
    Claim(
        "pgbench's queries without its indexes, likewise",
        "verification.advice_effect",
        (R, "pgbench"),
        50,
        AT_MOST,
        " %",
        100,
    ),
    Claim(
        "Errors that users see, fewer than without retries, of a model that fails 30 % of calls",
        "failing_model",
        (R, "fewer"),
        90,
        unit=" %",
        factor=100,
    ),
    Claim("Errors of 1,000 people who chat at once", "users", (F, "errors"), 0, AT_MOST),
    Claim(
        "Frames lost or doubled, 1,000 streams at 10 tokens a second",
        "streams",
        (F, "streams_with_lost_or_doubled_tokens"),
        0,
        AT_MOST,
    ),
    Claim("Delay of a frame there (p99)", "streams", (F, "frame_p99_ms"), 150, AT_MOST, " ms"),
    Claim(
        "Memory of a stream in the web process",
        "streams",
        (F, "web_kb_a_stream"),
        100,
        AT_MOST,
        " KB",
    ),
    Claim(
        "The platform's share of the time to the first token (p50)",
        "chat",
        (F, "alone_p50_ms"),
        25,
        AT_MOST,
        " ms",
        why_not="the request, its transaction, the queue, the worker and the stream, in local mode",
    ),
    Claim("The same (p99)", "chat", (F, "alone_p99_ms"), 80, AT_MOST, " ms"),
    Claim(
        "CPU of a served page to the same page in Django's WSGI handler, worst of ten",
        "pages",
        (R, "worst_served_to_handler"),
        1.15,
        AT_MOST,
        why_not="HTTP and the hop to a thread add about 0.3 ms whatever the page, which is much of the cheapest (a conversation: 1.26)",
    ),
    Claim(
        "Cores for 10,000 conversation pages a second",
        "pages",
        (F, "conversation_cores_for_10000_a_second"),
        2,
        AT_MOST,
        " cores",
        why_not="a page with a session, a user and 50 messages is Django's work, a few milliseconds of it",
    ),
    Claim(
        "Memory grown at 70 % of capacity", "load", (F, "memory_mb_growth"), 2, AT_MOST, " %", 100
    ),
    Claim(
        "Requests left without any answer at three times capacity",
        "load",
        (F, "overload_lost"),
        0,
        AT_MOST,
    ),
    Claim(
        "Until pages are quick again after it", "load", (F, "seconds_until_calm"), 10, AT_MOST, " s"
    ),
    Claim(
        "A small ASGI view under our middleware to the bare one",
        "monitoring",
        (R, "small ours"),
        1.05,
        AT_MOST,
    ),
)
