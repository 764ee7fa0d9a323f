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
    """`where` is the path of the figure in the benchmark's JSON; `better` compares it to the target."""

    text: str
    benchmark: str
    where: str
    target: float
    better: Callable[[float, float], bool] = operator.ge
    unit: str = ""
    factor: float = 1.0
    why_not: str = ""

    @property
    def wanted(self) -> str:
        sign = "at least" if self.better is operator.ge else "at most"
        return f"{sign} {self.target:g}{self.unit}"


def main(names: list[str]) -> None:
    for name in names or sorted({claim.benchmark for claim in CLAIMS}):
        run(name)
    PAGE.write_text(table())
    print(f"Wrote {PAGE.relative_to(ROOT)}.")
    print(
        json.dumps({"name": "claims", "figures": {"met": met(), "of": len(CLAIMS)}, "ratios": {}})
    )


def run(name: str) -> None:
    """Runs one benchmark with its output shown, and keeps its last line."""
    print(f"== {name}", flush=True)
    command = [sys.executable, "-m", "tests.benchmarks", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        last = ""
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line if line.startswith("{") else last
    if process.returncode or not last:
        raise SystemExit(f"The benchmark {name} failed.")
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(last)


def found(claim: Claim) -> float | None:
    """The figure, or None where its benchmark has not been run."""
    file = KEPT / f"{claim.benchmark}.json"
    if not file.exists():
        return None
    value: Any = json.loads(file.read_text())
    for part in claim.where.split("/"):
        if not isinstance(value, dict) or part not in value:
            raise SystemExit(f"{claim.benchmark} has no {claim.where}: {claim.text}")
        value = value[part]
    return float(value) * claim.factor


def met() -> int:
    values = [(claim, found(claim)) for claim in CLAIMS]
    return sum(value is not None and claim.better(value, claim.target) for claim, value in values)


def table() -> str:
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    now = datetime.now(UTC).date()
    lines = [HEAD.format(machine=machine, python=platform.python_version(), date=now)]
    for claim in CLAIMS:
        value = found(claim)
        if value is None:
            shown, verdict = "not run", ""
        else:
            shown = f"{value:,.4g}{claim.unit}"
            verdict = "yes" if claim.better(value, claim.target) else f"no: {claim.why_not}"
        command = f"`python -m tests.benchmarks {claim.benchmark}`"
        lines.append(f"| {claim.text} | {claim.wanted} | {shown} | {verdict} | {command} |\n")
    return "".join(lines)


CLAIMS: tuple[Claim, ...] = ()
