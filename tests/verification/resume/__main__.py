from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.servers import test_database


def main(arguments: list[str]) -> bool:
    parser = argparse.ArgumentParser(prog="python -m tests.verification.resume")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="of the first run; others count on")
    parser.add_argument("--abreast", type=int, default=20, help="runs of a round")
    options = parser.parse_args(arguments)
    random.seed(options.seed)
    with test_database(), tempfile.TemporaryDirectory() as directory:
        found = asyncio.run(_measure(Path(directory), options))
    for name, value in found.items():
        print(f"{name:20} {value:8}")  # noqa: T201
    print(json.dumps({"name": "resume", "figures": found, "ratios": {}}))  # noqa: T201
    return found["same_text"] == found["runs"]


async def _measure(directory: Path, options: argparse.Namespace) -> dict[str, float]:
    from tests.verification.resume.figures import figures
    from tests.verification.resume.fleet import deployed
    from tests.verification.resume.plan import Plan, faults
    from tests.verification.resume.rounds import Round, play

    last, rounds = options.seed + options.runs, list[Round]()
    firsts = range(options.seed, last, options.abreast)
    async with deployed(directory) as (fleet, provider):
        for number, first in enumerate(firsts, 1):
            seeds = range(first, min(first + options.abreast, last))
            plans = [Plan.of(seed) for seed in seeds]
            one = await play(fleet, provider, plans, faults(first, options.abreast))
            rounds.append(one)
            print(f"{number:3} of {len(firsts)}, seed {first}: {one}", flush=True)  # noqa: T201
            if one.failed:
                print("\n".join([*map(str, one.failed), fleet.logs()]), flush=True)  # noqa: T201
    return figures(rounds, provider)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
