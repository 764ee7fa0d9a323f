"""The benchmarks that claims rest on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """`minutes` are those of two quiet cores; one that is `by_name_alone` is no part of `make bench`."""

    minutes: float
    arguments: tuple[str, ...] = ()
    module: str = ""
    by_name_alone: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        return ("-m", *self.module.split(), *self.arguments)


def _named(name: str, minutes: float, *arguments: str, by_name_alone: bool = False) -> Benchmark:
    return Benchmark(minutes, arguments, f"tests.benchmarks {name}", by_name_alone)


def _verification(name: str, minutes: float) -> Benchmark:
    return Benchmark(minutes, module=f"tests.verification.{name}", by_name_alone=True)


_QUEUE = ("--only", "ours", "rq", "simple", "--kinds", "sync", "io", "--jobs", "2000")
_FASTEST = ("--only", "ours", "ardiq", "--kinds", "sync", "io1000", "--jobs", "10000")
BENCHMARKS = {
    "cache": _named("cache", 3),
    "cached_chat": _named("cached_chat", 6, "--messages", "200000", "--rounds", "5"),
    "queue": _named("queue", 5, *_QUEUE, "--rounds", "3"),
    "alerts": _named("alerts", 1.5),
    "alert_delay": _named("alert_delay", 1),
    "retention": _named("retention", 0.3),
    "advice_effect": Benchmark(1, module="tests.verification.advice_effect"),
    "failing_model": _named("failing_model", 0.5),
    "users": _named("users", 2),
    "streams": _named("streams", 1),
    "chat": _named("chat", 1),
    "stop": _named("stop", 1),
    "pages": _named("pages", 3),
    "start": _named("start", 2),
    "load": _named("load", 2),
    "monitoring": _named("monitoring", 3),
    "search": _named("search", 6),
    "soak": _named("soak", 31, by_name_alone=True),
    "queue_fastest": Benchmark(
        5, (*_FASTEST, "--rounds", "3"), "tests.benchmarks queue", by_name_alone=True
    ),
    "cache_races": _verification("cache_races", 1),
    "index_advice": _verification("index_advice", 3),
    "queue_kills": _verification("queue_kills", 4),
    "resume": _verification("resume", 12),
}
