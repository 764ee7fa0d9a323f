"""Rounds of runs abreast: what dies, dies once for all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from asgiref.sync import sync_to_async

from tests.benchmarks.chat import people
from tests.verification.resume.fleet import Fleet
from tests.verification.resume.plan import Fault, Plan
from tests.verification.resume.provider import Provider
from tests.verification.resume.run import Run

QUIET = 0.5  # seconds after the last end, in which nothing may change any more


@dataclass
class Round:
    """What came of it."""

    faults: list[Fault]
    runs: list[Run]
    seconds: float

    @property
    def failed(self) -> list[Run]:
        return [run for run in self.runs if run.problems]

    def __str__(self) -> str:
        what = ", ".join(map(str, self.faults)) or "nothing killed"
        same = len(self.runs) - len(self.failed)
        return f"{same} of {len(self.runs)} the same, {self.seconds:.0f} s: {what}"


async def play(fleet: Fleet, provider: Provider, plans: list[Plan], faults: list[Fault]) -> Round:
    begun = time.monotonic()
    persons = await sync_to_async(people)(fleet.fronts[0], len(plans))
    pairs = zip(plans, persons, strict=True)
    runs = [Run(plan, person, fleet.fronts) for plan, person in pairs]
    await asyncio.gather(*(run.open() for run in runs))
    killing = [asyncio.create_task(_kill(fleet, fault)) for fault in faults]
    await asyncio.gather(*(run.play() for run in runs))
    await asyncio.gather(*killing)
    await asyncio.sleep(QUIET)
    lost_frames = any(fault.kind == "queue" for fault in faults)
    for run in runs:
        await run.judge(provider.calls.get(run.plan.seed, []), lost_frames=lost_frames)
    return Round(faults, runs, time.monotonic() - begun)


async def _kill(fleet: Fleet, fault: Fault) -> None:
    await asyncio.sleep(fault.moment)
    kill: dict[str, Callable[[], Awaitable[None]]] = {
        "web": lambda: fleet.kill_web(fault.number),
        "worker": lambda: fleet.kill_worker(fault.number),
        "queue": fleet.kill_queue,
    }
    await kill[fault.kind]()
