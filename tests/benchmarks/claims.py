"""What is claimed, what was measured here, and how to measure it again: docs/benchmarks.md.

python -m tests.benchmarks claims            runs every benchmark of the claims but the longest
python -m tests.benchmarks claims NAME ...   runs these alone; what the others said stays, with its date
python -m tests.benchmarks claims table      runs nothing, and writes the page anew

The last line of each run is kept in tests/benchmarks/results/, which belongs to the repository.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import results
from tests.benchmarks.claimed import BENCHMARKS, BUDGETS, CLAIMS
from tests.benchmarks.claims_page import page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"


def main(names: list[str]) -> None:
    unknown = set(names) - set(BENCHMARKS) - {"table"}
    if unknown:
        known = ", ".join(sorted(BENCHMARKS))
        raise SystemExit(
            f"No claim rests on {', '.join(sorted(unknown))}. These there are: {known}."
        )
    usual = [name for name, benchmark in BENCHMARKS.items() if not benchmark.by_name_alone]
    failed = [name for name in names or usual if name != "table" and not run(name)]
    PAGE.write_text(page())
    print(f"Wrote {PAGE.relative_to(ROOT)}.")
    claims = CLAIMS + BUDGETS
    met = sum(claim.is_met for claim in claims)
    print(json.dumps({"name": "claims", "figures": {"met": met, "of": len(claims)}, "ratios": {}}))
    if failed:
        raise SystemExit(f"These failed, and what they said before stands: {', '.join(failed)}.")


def run(name: str) -> bool:
    """Runs one benchmark with its output shown, and keeps its last line. False where it failed."""
    print(f"== {name}", flush=True)
    begun, machine, command = time.monotonic(), results.machine(), BENCHMARKS[name].command
    last = ""
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line if line.startswith('{"name"') else last
    if process.returncode or not last:
        return False
    result = results.Result(
        date=datetime.now(UTC).date().isoformat(),
        minutes=round((time.monotonic() - begun) / 60, 1),
        machine=machine,
        command=f"python {' '.join(command)}",
        said=json.loads(last),
    )
    results.keep(name, result)
    return True
