"""Forced races between reads and invalidations: `python -m tests.verification.cache_races [ROUNDS]`.

Prints how many reads were stale, of 20,000 unless told otherwise; the exit status is 1 where any was.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from tests.servers import ThrowAwayValkey


def main(rounds: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from performance.cache.backends import RedisCache, TieredCache
    from performance.cache.engine import close_engines
    from tests.performance.cache.races import stale_reads

    with tempfile.TemporaryDirectory() as directory, ThrowAwayValkey(Path(directory)) as server:
        params = {"KEY_PREFIX": "race", "OPTIONS": {"SOCKET_TIMEOUT": 5}}
        reader, writer = TieredCache(server.url, params), RedisCache(server.url, params)
        if not reader.engine.first_tier()[1].wait(5):
            raise SystemExit("the first tier does not open")
        stale = stale_reads(reader, writer, rounds)
        close_engines()
    print(f"{stale} of {rounds} reads that a write overtook were stale")  # noqa: T201
    figures = {"reads": rounds, "stale": stale}
    print(json.dumps({"name": "cache_races", "figures": figures, "ratios": {}}))  # noqa: T201
    raise SystemExit(1 if stale else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
