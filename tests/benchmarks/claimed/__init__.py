"""The claims, and the benchmarks that they rest on.

`CLAIMS` are the numbers of the specification, `BUDGETS` those that the design sets itself besides.
"""

from __future__ import annotations

from tests.benchmarks.claimed import caches, chat, load, monitoring, pages, queues
from tests.benchmarks.claimed.benchmark import BENCHMARKS, Benchmark
from tests.benchmarks.claimed.claim import Claim

SERVICES = (caches, queues, monitoring, chat, pages, load)
CLAIMS: tuple[Claim, ...] = tuple(claim for service in SERVICES for claim in service.CLAIMS)
BUDGETS: tuple[Claim, ...] = tuple(claim for service in SERVICES for claim in service.BUDGETS)

__all__ = ["BENCHMARKS", "BUDGETS", "CLAIMS", "Benchmark", "Claim"]
