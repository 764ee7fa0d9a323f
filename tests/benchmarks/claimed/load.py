"""What is claimed of a site at and beyond its capacity."""

from __future__ import annotations

from tests.benchmarks.claimed.claim import at_most

CLAIMS = (
    at_most(
        "Requests left without any answer at three times capacity", "load/figures/overload_lost", 0
    ),
    at_most(
        "Until pages are quick again, from the end of that load",
        "load/figures/seconds_until_calm",
        10,
        " s",
    ),
    at_most(
        "Pages that are answered meanwhile take (p95)", "load/figures/overload_p95_ms", 1000, " ms"
    ),
    at_most(
        "Of those that were told to come back, the ones without `Retry-After`",
        "load/figures/overload_without_retry_after",
        0,
    ),
    at_most(
        "Half an hour at 70 % of what the site can do: memory grown (web or worker)",
        "soak/ratios/memory_grown",
        2,
        " %",
        factor=100,
    ),
    at_most(
        "Descriptors, threads, connections and clients that grow meanwhile",
        "soak/figures/growing_counts",
        0,
    ),
    at_most(
        "Acts that fail meanwhile",
        "soak/figures/failed",
        0,
    ),
    at_most("Memory of the web process then", "soak/figures/web_mb", 300, " MB"),
    at_most("Memory of the worker then", "soak/figures/worker_mb", 300, " MB"),
)
BUDGETS = ()
