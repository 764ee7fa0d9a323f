"""The tables beside the charts: one row for each view, cache, level, task, service and backend."""

from __future__ import annotations

from dataclasses import dataclass

from performance.admin.dashboard import measured
from performance.admin.dashboard.measured import Measured
from performance.metrics.reading import Summary
from performance.queues.levels import Level

MOST_ROWS = 10
SORTS = ("p95", "time", "rate", "errors", "statements")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRow:
    """Times in seconds; `time` is the share that this view has of all request time, 0 to 1."""

    view: str
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    errors: float
    time: float
    database: float | None
    statements: float | None
    repeats: float


def views(found: Measured, sort: str = "p95", most: int = MOST_ROWS) -> list[ViewRow]:
    """The views that lead by `sort`, one of SORTS."""
    everything = found.whole("requests").sum or 1.0
    rows = [_view(found, view, everything) for view in found.labels("requests", "view")]
    key = sort if sort in SORTS else SORTS[0]
    return sorted(rows, key=lambda row: (-(getattr(row, key) or 0.0), row.view))[:most]


def _view(found: Measured, view: str, everything: float) -> ViewRow:
    times = found.whole("requests", view=view)
    return ViewRow(
        view=view,
        rate=times.rate(found.span.seconds),
        p50=times.quantile(0.5),
        p95=times.quantile(0.95),
        p99=times.quantile(0.99),
        errors=found.whole("requests", view=view, status="5xx").count / times.count
        if times.count
        else 0.0,
        time=times.sum / everything,
        database=found.whole("database", view=view).mean,
        statements=found.whole("statements", view=view).mean,
        repeats=found.whole("n_plus_one", view=view).count,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRow:
    """`hit_rate` 0 to 1; `raw` and `stored` in bytes."""

    alias: str
    hit_rate: float | None
    hits: float
    misses: float
    errors: float
    stale: float
    raw: float
    stored: float

    @property
    def ratio(self) -> float | None:
        """What compression leaves, 0 to 1."""
        return self.stored / self.raw if self.raw else None


def caches(found: Measured) -> list[CacheRow]:
    """Every alias that was used."""
    keys = ("cache_hits", "cache_misses", "cache_errors", "cache_bytes")
    aliases = sorted({alias for key in keys for alias in found.labels(key, "alias")})
    return [_cache(found, alias) for alias in aliases]


def _cache(found: Measured, alias: str) -> CacheRow:
    def count(key: str, **labels: str) -> float:
        return found.whole(key, alias=alias, **labels).count

    hits, misses = count("cache_hits"), count("cache_misses")
    return CacheRow(
        alias=alias,
        hit_rate=hits / (hits + misses) if hits + misses else None,
        hits=hits,
        misses=misses,
        errors=count("cache_errors"),
        stale=count("cache_stale"),
        raw=count("cache_bytes", which="raw"),
        stored=count("cache_bytes", which="stored"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    """`waiting` and `oldest` (seconds) are the most of the last minute; `waited` are quantiles of the span."""

    level: str
    waiting: float | None
    oldest: float | None
    done: float
    failed: float
    waited_p95: float | None
    ran_p95: float | None


def levels(found: Measured, lately: Measured) -> list[LevelRow]:
    """All five, the most urgent first; what waits of `lately`, the rest of all that was found."""
    return [_level(found, lately, level.value) for level in Level]


def _level(found: Measured, lately: Measured, level: str) -> LevelRow:
    runs = found.whole("tasks", level=level)
    return LevelRow(
        level=level,
        waiting=measured.most(lately.whole("queue_length", level=level)),
        oldest=measured.most(lately.whole("queue_oldest", level=level)),
        done=runs.count,
        failed=_failed(found, level=level),
        waited_p95=found.whole("task_wait", level=level).quantile(0.95),
        ran_p95=runs.quantile(0.95),
    )


def _failed(found: Measured, **labels: str) -> float:
    ends = ("failed", "parked")
    return sum(found.whole("tasks", status=status, **labels).count for status in ends)


def latest(found: Measured, key: str, **labels: str) -> float | None:
    """A level's mean in the last step of what was found."""
    steps = found.steps(key, **labels)
    return steps[max(steps)].mean if steps else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """Times in seconds."""

    task: str
    level: str
    runs: float
    failed: float
    waited_p95: float | None
    ran_p50: float | None
    ran_p95: float | None


def tasks(found: Measured, most: int = MOST_ROWS) -> list[TaskRow]:
    """The tasks that took most time, failures first."""
    pairs = {
        (line.labels.get("task", ""), line.labels.get("level", ""))
        for line in found.lines.get("tasks", [])
    }
    rows = [_task(found, task, level) for task, level in pairs]
    rows.sort(key=lambda row: (-row[0].failed, -row[1].sum, row[0].task))
    return [row for row, _ in rows[:most]]


def _task(found: Measured, task: str, level: str) -> tuple[TaskRow, Summary]:
    runs = found.whole("tasks", task=task, level=level)
    row = TaskRow(
        task=task,
        level=level,
        runs=runs.count,
        failed=_failed(found, task=task, level=level),
        waited_p95=found.whole("task_wait", task=task, level=level).quantile(0.95),
        ran_p50=runs.quantile(0.5),
        ran_p95=runs.quantile(0.95),
    )
    return row, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """`up`: as asked last, None: never; `answered`: share of the questions, 0 to 1; p95 in seconds."""

    service: str
    up: bool | None
    answered: float | None
    p95: float | None


def services(found: Measured, lately: Measured) -> list[ServiceRow]:
    """Every service that was asked, and whether it answered `lately`; what is down comes first."""
    names = {name for some in (found, lately) for name in some.labels("service_up", "service")}
    rows = [_service(found, lately, service) for service in names]
    return sorted(rows, key=lambda row: (row.up is not False, row.service))


def _service(found: Measured, lately: Measured, service: str) -> ServiceRow:
    last = latest(lately, "service_up", service=service)
    return ServiceRow(
        service=service,
        up=None if last is None else last > 0.5,
        answered=found.whole("service_up", service=service).mean,
        p95=found.whole("service_seconds", service=service).quantile(0.95),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRow:
    """A chat backend. Times in seconds, tokens of the whole span."""

    backend: str
    replies: float
    failed: float
    first_token_p50: float | None
    first_token_p95: float | None
    tokens: float
    errors: float


def backends(found: Measured) -> list[BackendRow]:
    """Every chat backend that was asked."""
    keys = ("replies", "first_token", "chat_backend_errors", "reply_tokens")
    names = sorted({name for key in keys for name in found.labels(key, "backend")})
    return [_backend(found, name) for name in names]


def _backend(found: Measured, backend: str) -> BackendRow:
    first = found.whole("first_token", backend=backend)
    return BackendRow(
        backend=backend,
        replies=found.whole("replies", backend=backend).count,
        failed=found.whole("replies", backend=backend, status="failed").count,
        first_token_p50=first.quantile(0.5),
        first_token_p95=first.quantile(0.95),
        tokens=found.whole("reply_tokens", backend=backend).count,
        errors=found.whole("chat_backend_errors", backend=backend).count,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A kind of statement. Times in seconds."""

    kind: str
    count: float
    total: float
    p50: float | None
    p95: float | None
    most: float | None


def statements(found: Measured) -> list[StatementRow]:
    """Each kind of statement, what took most time first."""
    rows = [
        _statement(kind, found.whole("statement_seconds", kind=kind))
        for kind in found.labels("statement_seconds", "kind")
    ]
    return sorted(rows, key=lambda row: -row.total)


def _statement(kind: str, times: Summary) -> StatementRow:
    return StatementRow(
        kind=kind,
        count=times.count,
        total=times.sum,
        p50=times.quantile(0.5),
        p95=times.quantile(0.95),
        most=times.max if times.count else None,
    )
