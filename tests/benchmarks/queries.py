"""python -m tests.benchmarks queries [rounds]: the cost of watching queries, beside others."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.benchmarks.servers import test_database


def main(arguments: list[str]) -> None:
    rounds = int(arguments[0]) if arguments else 5
    with test_database(), tempfile.TemporaryDirectory() as folder:
        from tests.benchmarks import query_log

        figures = query_log.measure(Path(folder), rounds)
    for name, figure in figures["queries"].items():
        print(f"{name:18} {figure}")
    for name, figure in figures["hook_us"].items():
        print(f"{name:18} us added to a statement that costs nothing: {figure}")
    print(f"{'fingerprint':18} us: {figures['fingerprint_us']}")
    ours = figures["queries"]["ours"]
    ratios = {
        f"{name} calls/ours": round(figure["added_calls"] / ours["added_calls"], 1)
        for name, figure in figures["queries"].items()
        if name not in {"bare", "ours"}
    }
    print(json.dumps({"name": "queries", "figures": figures, "ratios": ratios}))
