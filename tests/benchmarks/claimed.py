"""The claims, and the benchmarks that they rest on."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks import results


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


_QUEUE = ("--only", "ours", "rq", "simple", "--kinds", "sync", "io", "--jobs", "2000")
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
}


@dataclass(frozen=True)
class Claim:
    """`where` leads to the figure in the benchmark's JSON; `better` compares it to the target.

    `why_not` stands in the page where the target is not met.
    """

    text: str
    benchmark: str
    where: tuple[str, ...]
    target: float
    better: Callable[[float, float], bool] = operator.ge
    unit: str = ""
    factor: float = 1.0
    why_not: str = "this run does not bear it out"

    @property
    def wanted(self) -> str:
        sign = "at least" if self.better is operator.ge else "at most"
        return f"{sign} {self.target:,g}{self.unit}"

    @property
    def value(self) -> float | None:
        """None where it has not been measured."""
        result = results.kept(self.benchmark)
        found = result.at(self.where) if result else None
        return None if found is None else found * self.factor

    @property
    def is_met(self) -> bool:
        return self.value is not None and self.better(self.value, self.target)


AT_MOST = operator.le
R, F = "ratios", "figures"
CLAIMS: tuple[Claim, ...] = (
    Claim(
        "A cached conversation of 50 messages is read in (first tier, p99)",
        "cache",
        (F, "hit_us", "conversation", "ours-tiered", "p99"),
        1,
        AT_MOST,
        " ms",
        0.001,
    ),
    Claim(
        "The same from Redis (p50)",
        "cache",
        (F, "hit_us", "conversation", "ours-redis", "p50"),
        1,
        AT_MOST,
        " ms",
        0.001,
    ),
    Claim(
        "No-op tasks, one worker to one of RQ's SimpleWorker",
        "queue",
        (R, "simple sync 2000"),
        10,
        unit=" times as many",
    ),
    Claim(
        "No-op tasks, one worker to one `rq worker`, which forks for each",
        "queue",
        (R, "rq sync 2000"),
        10,
        unit=" times as many",
    ),
    Claim(
        "Tasks that wait 100 ms for something, 100 at once, likewise",
        "queue",
        (R, "rq io 2000"),
        10,
        unit=" times as many",
    ),
    Claim(
        "No-op tasks of one worker process",
        "queue",
        (F, "ours sync 2000", "per_second"),
        1000,
        unit=" a second",
    ),
    Claim(
        "Submitting a task takes (p99)",
        "queue",
        (F, "ours enqueue", "p99_us"),
        10,
        AT_MOST,
        " ms",
        0.001,
    ),
    Claim(
        "CPU of a no-op task in the worker",
        "queue",
        (F, "ours sync 2000", "cpu_us"),
        100,
        AT_MOST,
        " us",
    ),
    Claim(
        "100 callers in 4 processes who miss one key load it",
        "cache",
        (R, "herd_loads", "ours-tiered"),
        1,
        AT_MOST,
        " times",
    ),
    Claim(
        "A stop is acknowledged (p99)",
        "stop",
        (F, "ack_p99_ms"),
        100,
        operator.le,
        unit=" ms",
    ),
    Claim(
        "The model's server sees its connection closed after a stop (p99)",
        "stop",
        (F, "provider_p99_ms"),
        200,
        operator.le,
        unit=" ms",
    ),
    Claim(
        "Times the model's server was asked although the reply was stopped while it waited",
        "stop",
        (F, "asked_although_stopped"),
        0,
        operator.le,
    ),
    Claim(
        "Pages of the list and of conversations that come from the cache alone",
        "cached_chat",
        (R, "pages_from_cache"),
        70,
        unit=" %",
        factor=100,
    ),
    Claim(
        "Results of tools found in the cache",
        "cached_chat",
        (R, "hit_rate", "tool_results"),
        70,
        unit=" %",
        factor=100,
    ),
    Claim(
        "Answers found in the cache",
        "cached_chat",
        (R, "hit_rate", "ai_responses"),
        70,
        unit=" %",
        factor=100,
        why_not="it is the share of questions that are asked twice, which the workload assumes to be a third",
    ),
    Claim(
        "Statements fewer with the caches on, a day of chat",
        "cached_chat",
        (R, "statements_less"),
        50,
        unit=" %",
        factor=100,
        why_not="sending takes 15 statements with the caches or without: three quarters of those that are left",
    ),
    Claim(
        "A cached conversation page is faster by (p50)",
        "cached_chat",
        (R, "p50_less", "conversation"),
        70,
        unit=" %",
        factor=100,
    ),
    Claim(
        "A cached list page is faster by (p50)",
        "cached_chat",
        (R, "p50_less", "list"),
        70,
        unit=" %",
        factor=100,
        why_not="what is left is the frame of the page and Django's middleware",
    ),
    Claim(
        "Evaluating 100 rules over 2 million rows takes",
        "alerts",
        (F, "evaluation_ms", "median"),
        100,
        AT_MOST,
        " ms",
    ),
    Claim(
        "From the beginning of such an evaluation until the alert and its message are recorded",
        "alerts",
        (F, "firing_ms", "median"),
        100,
        AT_MOST,
        " ms",
    ),
    Claim(
        "From the beginning of an evaluation until the message has arrived (worst)",
        "alert_delay",
        (F, "evaluation_to_message_ms", "worst"),
        100,
        AT_MOST,
        " ms",
        why_not="the median keeps it by far; what held the worst has not been found",
    ),
    Claim(
        "From an event until its alert fires, everything running by itself (worst)",
        "alert_delay",
        (F, "event_to_firing_s", "worst"),
        10,
        AT_MOST,
        " s",
    ),
    Claim(
        "Hours of minutes that are there after pruning, without a hole",
        "retention",
        (F, "hours_without_a_hole"),
        24,
        unit=" hours",
    ),
    Claim(
        "Rows left that are older than they should be",
        "retention",
        (F, "rows_too_old"),
        0,
        AT_MOST,
    ),
    Claim(
        "The chat's queries take, after the suggested indexes, of the time before",
        "advice_effect",
        (R, "chat"),
        50,
        AT_MOST,
        " %",
        100,
    ),
    Claim(
        "pgbench's queries without its indexes, likewise",
        "advice_effect",
        (R, "pgbench"),
        50,
        AT_MOST,
        " %",
        100,
    ),
    Claim(
        "Errors that users see, fewer than without retries, of a model that fails 30 % of calls",
        "failing_model",
        (R, "fewer"),
        90,
        unit=" %",
        factor=100,
    ),
    Claim("Errors of 1,000 people who chat at once", "users", (F, "errors"), 0, AT_MOST),
    Claim(
        "Frames lost or doubled, 1,000 streams at 10 tokens a second",
        "streams",
        (F, "streams_with_lost_or_doubled_tokens"),
        0,
        AT_MOST,
    ),
    Claim("Delay of a frame there (p99)", "streams", (F, "frame_p99_ms"), 150, AT_MOST, " ms"),
    Claim(
        "Memory of a stream in the web process",
        "streams",
        (F, "web_kb_a_stream"),
        100,
        AT_MOST,
        " KB",
    ),
    Claim(
        "CPU of a frame to a browser",
        "streams",
        (F, "web_cpu_us_a_frame"),
        100,
        AT_MOST,
        " us",
    ),
    Claim(
        "The platform's share of the time to the first token (p50)",
        "chat",
        (F, "alone_p50_ms"),
        25,
        AT_MOST,
        " ms",
        why_not="the request, its transaction, the queue, the worker and the stream, in local mode",
    ),
    Claim("The same (p99)", "chat", (F, "alone_p99_ms"), 80, AT_MOST, " ms"),
    Claim(
        "CPU of a served page to the same page in Django's WSGI handler, worst of ten",
        "pages",
        (R, "worst_served_to_handler"),
        1.15,
        AT_MOST,
        why_not="HTTP and the hop to a thread add 0.3 to 0.5 ms whatever the page, and a page that is kept rendered is little more than that itself",
    ),
    Claim(
        "Cores for 10,000 conversation pages a second",
        "pages",
        (F, "conversation_cores_for_10000_a_second"),
        2,
        AT_MOST,
        " cores",
        why_not="a session, a user, the middleware and the compression of 60 KB are a millisecond of work",
    ),
    Claim("`import chatsite.asgi` takes", "start", (F, "import_seconds"), 2.5, AT_MOST, " s"),
    Claim(
        "Memory of a web process that has just started",
        "start",
        (F, "worker_mb"),
        85,
        AT_MOST,
        " MB",
    ),
    Claim(
        "From `git clone` to a first answer, packages in the installer's cache",
        "start",
        (F, "clone_to_answer_seconds"),
        60,
        AT_MOST,
        " s",
    ),
    Claim(
        "Requests left without any answer at three times capacity",
        "load",
        (F, "overload_lost"),
        0,
        AT_MOST,
    ),
    Claim(
        "Until pages are quick again, from the end of that load",
        "load",
        (F, "seconds_until_calm"),
        10,
        AT_MOST,
        " s",
    ),
    Claim(
        "Pages that are answered meanwhile take (p95)",
        "load",
        (F, "overload_p95_ms"),
        1000,
        AT_MOST,
        " ms",
    ),
    Claim(
        "Of those that were told to come back, the ones without `Retry-After`",
        "load",
        (F, "overload_without_retry_after"),
        0,
        AT_MOST,
    ),
    Claim(
        "Half an hour at 70 % of what the site can do: memory grown (web or worker)",
        "soak",
        (R, "memory_grown"),
        2,
        AT_MOST,
        " %",
        100,
        why_not="the worker by 4 MB, ever more slowly; whether it stops has not been seen",
    ),
    Claim(
        "Descriptors, threads, connections and clients that grow meanwhile",
        "soak",
        (F, "growing_counts"),
        0,
        AT_MOST,
    ),
    Claim(
        "Acts that fail meanwhile",
        "soak",
        (F, "failed"),
        0,
        AT_MOST,
        why_not="answers that took longer than 20 seconds; see how busy the machine was",
    ),
    Claim("Memory of the web process then", "soak", (F, "web_mb"), 300, AT_MOST, " MB"),
    Claim("Memory of the worker then", "soak", (F, "worker_mb"), 300, AT_MOST, " MB"),
    Claim(
        "A search in a million messages (the slowest kind of question, p95)",
        "search",
        (R, "worst_p95_ms"),
        50,
        AT_MOST,
        " ms",
        why_not="a common word of somebody who has 200,000 messages: PostgreSQL ranks what it finds",
    ),
    Claim(
        "From an event until a dashboard can read it (worst)",
        "monitoring",
        (F, "own", "event_to_readable_s"),
        2,
        AT_MOST,
        " s",
    ),
    Claim(
        "A small ASGI view under our middleware to the bare one",
        "monitoring",
        (R, "small ours"),
        1.05,
        AT_MOST,
    ),
)
