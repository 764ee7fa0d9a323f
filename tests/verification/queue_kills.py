"""Workers killed 100 times over 20,000 jobs of five levels: `python -m tests.verification.queue_kills [--kills 100] [--jobs 20000] [--seed N]`.

The test of the suite, longer: no job is lost, none fails, each takes effect once. Needs nothing that runs;
exit status 1, and pytest's report, where one of these is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEST = (
    "tests/performance/queues/worker/test_recovery.py"
    "::test_workers_killed_at_random_points_lose_and_repeat_nothing"
)


def main() -> None:
    options = _arguments()
    environment = {
        "QUEUE_KILLS": str(options.kills),
        "QUEUE_JOBS": str(options.jobs),
        "QUEUE_SEED": str(options.seed),
    }
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--timeout", "1800", TEST],
        cwd=ROOT,
        env=os.environ | environment,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    figures = {"kills": options.kills, "jobs": options.jobs, "lost_failed_or_repeated": 0}
    print(json.dumps({"name": "queue_kills", "figures": figures, "ratios": {}}))  # noqa: T201


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    return parser.parse_args()


if __name__ == "__main__":
    main()
