"""How soon an alert is known: from an evaluation to the message's arrival, and from an event to the firing.

python -m tests.benchmarks alert_delay [--rounds 10]

The first part evaluates and sends here, prepared as a worker is at its start, with no waiting for more news of the group
(GROUP_WAIT and GROUP_INTERVAL 0), to a channel that notes the time. The second lets everything run by itself, as on a site: this process records
an event and its flusher sends it; a worker evaluates every five seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.servers import test_database

PATIENCE = 30.0
ARRIVED: list[float] = []


def _receiving() -> str:
    """The dotted path of a channel that notes when a message arrives."""
    from performance.alerts.channels import Channel

    class Receiving(Channel):
        def send(self, message: Any) -> None:
            ARRIVED.append(time.perf_counter())

    globals()["Receiving"] = Receiving
    return f"{__name__}.Receiving"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="alert_delay")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args(arguments).rounds
    with test_database(), tempfile.TemporaryDirectory() as directory:
        from performance.models import AlertRule

        AlertRule.objects.all().delete()
        figures = {
            "evaluation_to_message_ms": _summary(_to_message(rounds), 1000),
            "event_to_firing_s": _summary(_to_firing(rounds, Path(directory)), 1),
        }
    for name, each in figures.items():
        print(f"{name:26} median {each['median']:8.2f}   worst {each['worst']:8.2f}")
    print(json.dumps({"name": "alert_delay", "figures": figures, "ratios": {}}))


def _summary(seconds: list[float], factor: float) -> dict[str, float]:
    return {
        "median": round(factor * statistics.median(seconds), 2),
        "worst": round(factor * max(seconds), 2),
    }


def _rule(name: str) -> None:
    """Fires with the first event of its metric."""
    from performance.models import AlertRule

    AlertRule.objects.create(
        name=name.replace("_", "-"), title=name, metric=name, aggregation="count", threshold=0
    )


def _with(**blocks: dict[str, Any]) -> Any:
    from django.conf import settings
    from django.test import override_settings

    changed = {name: {**settings.PERFORMANCE[name], **block} for name, block in blocks.items()}
    return override_settings(PERFORMANCE={**settings.PERFORMANCE, **changed})


def _to_message(rounds: int) -> list[float]:
    from performance import alerts, metrics

    took = []
    receiving = {"BACKEND": _receiving()}
    with _with(ALERTS={"CHANNELS": {"receiving": receiving}, "GROUP_WAIT": 0, "GROUP_INTERVAL": 0}):
        alerts.prepare()
        for number in range(rounds):
            _rule(f"told_{number}")
            metrics.count(f"told_{number}")
            metrics.flush()
            ARRIVED.clear()
            begun = time.perf_counter()
            alerts.evaluate()
            alerts.deliver()
            if len(ARRIVED) != 1:
                raise SystemExit(f"{len(ARRIVED)} messages arrived of one alert.")
            took.append(ARRIVED[0] - begun)
    return took


def _to_firing(rounds: int, directory: Path) -> list[float]:
    from performance import metrics
    from tests.site import Site

    took = []
    site = Site(directory, LOG_LEVEL="ERROR", ALERTS_ENABLED="on")
    site.start_worker()
    try:
        _until(_evaluated)
        with _with(METRICS={"FLUSH_SECONDS": 1.0}):
            for number in range(rounds):
                _rule(f"seen_{number}")
                time.sleep(0.7 * number % 5)  # anywhere between two evaluations
                begun = time.perf_counter()
                metrics.count(f"seen_{number}")
                _until(lambda number=number: _fires(f"seen-{number}"))
                took.append(time.perf_counter() - begun)
    finally:
        site.__exit__(None, None, None)
    return took


def _evaluated() -> bool:
    from performance.alerts import seconds_since

    last = seconds_since()
    return last is not None and last < 5


def _fires(rule: str) -> bool:
    from performance.models import Alert
    from performance.models.alerts import State

    return Alert.objects.filter(rule__name=rule, state=State.FIRING).exists()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("Nothing came of it in time.")
        time.sleep(0.02)
