"""What every job of every peer does: it notes when it ran. And the command line they share."""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from collections.abc import Callable

URL = os.environ["QUEUE_URL"]
CONCURRENCY = int(os.environ.get("CONCURRENCY", "100"))
_file = os.open(os.environ["MARKS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def mark() -> None:
    os.write(_file, struct.pack("d", time.monotonic()))


def produce(bulk: Callable[[str, int], None], one: Callable[[str], None]) -> None:
    """`fill KIND N` enqueues N jobs; `time KIND N` prints the seconds of N single calls and of bulk;
    `ping KIND N` enqueues one every 50 ms and prints when.
    """
    action, kind, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if action == "fill":
        bulk(kind, number)
        return
    if action == "ping":
        print(json.dumps([_ping(one, kind) for _ in range(number)]))
        return
    singles = []
    for _ in range(number):
        started = time.perf_counter()
        one(kind)
        singles.append(time.perf_counter() - started)
    started = time.perf_counter()
    bulk(kind, number)
    print(json.dumps({"single": singles, "bulk": (time.perf_counter() - started) / number}))


def _ping(one: Callable[[str], None], kind: str) -> float:
    time.sleep(0.05)
    started = time.monotonic()
    one(kind)
    return started
