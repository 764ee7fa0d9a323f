"""What all rounds together have to say."""

from __future__ import annotations

import statistics
from collections import Counter

from tests.verification.resume.provider import Provider
from tests.verification.resume.rounds import Round

SOON = 200.0  # milliseconds in which a stop must reach the model's server


def figures(rounds: list[Round], provider: Provider) -> dict[str, float]:
    """Counts of runs, of what was done to them and of what pages did about it, and times of stops."""
    runs = [run for one in rounds for run in one.runs]
    acts = Counter(act.what for run in runs for act in run.plan.acts)
    kills = Counter(fault.kind for one in rounds for fault in one.faults)
    did = Counter[str]()
    for run in runs:
        for device in run.devices:
            did.update(device.counts)
    return {
        "runs": len(runs),
        "same_text": sum(not run.problems for run in runs),
        **{f"runs_with_{what}": acts[what] for what in ("drop", "reload", "late", "slow", "stop")},
        "runs_with_twice": sum(run.plan.sends_twice for run in runs),
        **{f"{kind}_kills": kills[kind] for kind in ("web", "worker", "queue")},
        "taken_over": sum(bool(run.row and run.row.attempt > 1) for run in runs),
        "devices": sum(len(run.devices) for run in runs),
        **{f"page_{what}": did[what] for what in sorted(did)},
        **_stops(rounds, provider),
    }


def _stops(rounds: list[Round], provider: Provider) -> dict[str, float]:
    """Of those where nothing died and the model was telling."""
    calm = [run for one in rounds if not one.faults for run in one.runs if run.stopped_at]
    times = [
        1000 * (call.left_at - (run.stopped_at or 0))
        for run in calm
        for call in provider.calls.get(run.plan.seed, [])
        if call.left_at
    ]
    if not times:
        return {"stops_timed": 0}
    return {
        "stops_timed": len(times),
        "stops_in_200_ms": sum(time <= SOON for time in times),
        "stop_p50_ms": round(statistics.median(times), 1),
        "stop_worst_ms": round(max(times), 1),
    }
