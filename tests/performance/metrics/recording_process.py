"""A process that only records, without a database: `python recording_process.py LOCATION MODE N`.

many    four threads count N each, then it ends as a program does
forked  counts N, forks; the child counts N and leaves by os._exit after a flush
endless counts 1 and flushes, again and again; prints how many are surely sent
idle    the flusher's own thread sends N
"""

from __future__ import annotations

import os
import sys
import threading
import time

from django.conf import settings

LOCATION, MODE, N = sys.argv[1], sys.argv[2], int(sys.argv[3])
settings.configure(
    PERFORMANCE={"METRICS": {"LOCATION": LOCATION, "FLUSH_SECONDS": 0.05 if MODE == "idle" else 60}}
)

from performance import metrics


def count(n: int) -> None:
    for number in range(n):
        metrics.count("apples", colour="red")
        metrics.observe("weight_seconds", 0.1 * (number % 10 + 1))


def many() -> None:
    threads = [threading.Thread(target=count, args=(N,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def forked() -> None:
    count(N)
    child = os.fork()
    if not child:
        count(N)
        metrics.flush()
        os._exit(0)
    os.waitpid(child, 0)


def endless() -> None:
    sent = 0
    while True:
        count(1)
        if metrics.flush():
            sent += 1
            sys.stdout.write(f"{sent}\n")
            sys.stdout.flush()


def idle() -> None:
    count(N)
    time.sleep(30)


globals()[MODE]()
