"""What is claimed of the queues."""

from __future__ import annotations

from tests.benchmarks.claimed.claim import at_least, at_most

CLAIMS = (
    at_least(
        "No-op tasks, one worker to one of RQ's SimpleWorker",
        "queue/ratios/simple sync 2000",
        10,
        " times as many",
    ),
    at_least(
        "No-op tasks, one worker to one `rq worker`, which forks for each",
        "queue/ratios/rq sync 2000",
        10,
        " times as many",
    ),
    at_least(
        "Tasks that wait 100 ms for something, 100 at once, likewise",
        "queue/ratios/rq io 2000",
        10,
        " times as many",
    ),
    at_least(
        "No-op tasks of one worker process",
        "queue/figures/ours sync 2000/per_second",
        1000,
        " a second",
    ),
    at_most(
        "Submitting a task takes (p99)",
        "queue/figures/ours enqueue/p99_us",
        10,
        " ms",
        factor=0.001,
    ),
    at_most("CPU of a no-op task in the worker", "queue/figures/ours sync 2000/cpu_us", 100, " us"),
)
BUDGETS = (
    at_least("No-op tasks, to SimpleWorker", "queue/ratios/simple sync 2000", 35, " times as many"),
    at_least("No-op tasks, to `rq worker`", "queue/ratios/rq sync 2000", 100, " times as many"),
    at_least(
        "No-op tasks, to the fastest of its peers in Python (ArdiQ, whose core is Rust)",
        "queue_fastest/ratios/ardiq sync 10000",
        1,
        " times as many",
    ),
    at_least(
        "Tasks that wait 100 ms, 100 at once, to `rq worker`",
        "queue/ratios/rq io 2000",
        110,
        " times as many",
    ),
    at_least(
        "Tasks that wait 100 ms, 1,000 at once, to ArdiQ",
        "queue_fastest/ratios/ardiq io1000 10000",
        1.3,
        " times as many",
        why_not="both do 95 % of the 10,000 a second that 1,000 waits of 100 ms allow: more cannot be had",
    ),
    at_most("Submitting a task (p99)", "queue/figures/ours enqueue/p99_us", 2, " ms", factor=0.001),
    at_most(
        "Jobs lost, failed or done twice when workers are killed 100 times",
        "queue_kills/figures/lost_failed_or_repeated",
        0,
    ),
)
