"""settings.PERFORMANCE, read once into frozen dataclasses; performance.checks refuses unknown keys."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.core.signals import setting_changed


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """Switches of the cache; a cache that is off answers miss and stores nothing."""

    enabled: bool = True
    conversations: bool = True
    ai_responses: bool = True
    tool_results: bool = True
    stats_seconds: float = 10.0  # how often a process adds its counts to Redis; 0 = never


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Measuring: recorders, buffer, rollups."""

    enabled: bool = True
    location: str = ""  # the Redis of the live buckets; without it nothing is recorded
    flush_seconds: float = 1.0  # how often a process sends what it recorded; 0 = only when asked
    most_events: int = 50_000  # recorded and not yet sent; more are dropped and counted
    most_series: int = 500  # of one metric; what is beyond has the labels "other"
    ignore_paths: Sequence[str] = (  # beginnings; nothing is recorded there
        *("/health/", "/metrics", "/admin/performance/dashboard/data/"),
    )
    sample_requests: int = 1  # 1 = every request, 10 = every tenth, which then counts as ten
    keep_live: int = 3600  # seconds for which Redis keeps the 10-second slots
    keep_requests_mb: int = 32  # of Redis for requests by their ids, a day at most; 0 = none
    keep_minutes: int = 24  # hours for which the rows of minutes are kept
    keep_hours: int = 30  # days for which the rows of hours are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class QueriesSettings:
    """Watching what the database is asked."""

    enabled: bool = True
    slow_ms: float = 100.0  # a statement that takes as long is kept with its line
    sample_rate: float = 0.02  # share of scopes whose every statement is kept with its line
    long_transaction_ms: float = 1000.0  # a transaction that is open as long is kept
    connection_wait_ms: float = 100.0  # so is a scope that waited as long for connections
    budgets: dict[str, dict[str, float]] = field(default_factory=dict)  # view: max_queries, max_ms
    ignore_tables: tuple[str, ...] = ()  # statements about these alone are not logged
    max_fingerprints: int = 2000  # that have rows; what is beyond is counted as one, "other"
    keep_samples_days: int = 7
    keep_statistics_days: int = 30  # of the hours, and of fingerprints not seen since


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsSettings:
    """Evaluating alert rules and telling people; times in seconds."""

    enabled: bool = True
    watch: bool = True  # a thread in each process evaluates when no task has for 12 seconds
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)  # alias: BACKEND, OPTIONS
    group_wait: float = 5.0  # a first message waits so long for more news of its group
    group_interval: float = 60.0  # at most one message to a channel about a group in this time
    repeat_after: float = 4 * 3600.0  # an alert that nobody acknowledged is told again
    escalate_after: float = 900.0  # nobody acknowledged it: told to ESCALATE_TO too
    escalate_to: tuple[str, ...] = ()  # aliases of channels; none: the same channels again
    reopen_within: float = 900.0  # a resolved alert that returns so soon is the same one
    stale_after: float = 24 * 3600.0  # an alert without a value for so long resolves
    keep_days: int = 90  # of resolved alerts and their events
    allowed_networks: tuple[str, ...] = ()  # private networks that webhooks may reach, as CIDR
    site_url: str = ""  # in front of links in messages: https://chat.example.org
    runbooks: str = ""  # the directory of the runbooks' Markdown files


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """Off: tasks run at once where they are enqueued. Everything else is TASKS' own OPTIONS."""

    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """/health/ and /metrics; times in seconds."""

    timeout: float = 1.0  # for the answers of all services, asked at once
    lifetime: float = 1.0  # for which an answer is given again
    optional: Sequence[str] = ()  # services without which the site is still ready
    token: str = ""  # opens /health/detail, beside a staff session
    metrics_token: str = ""  # opens /metrics
    metrics_loopback: bool = True  # /metrics is open to this machine, unless through a proxy
    version: str = ""  # of the site, as /health/detail tells it


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchesSettings:
    """Services that staff turn off and on while the site runs (performance.switches)."""

    watch_seconds: float = 2.0  # how often a process looks what staff have changed; 0 = never


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceSettings:
    cache: CacheSettings = field(default_factory=CacheSettings)
    queues: QueueSettings = field(default_factory=QueueSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    queries: QueriesSettings = field(default_factory=QueriesSettings)
    alerts: AlertsSettings = field(default_factory=AlertsSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    switches: SwitchesSettings = field(default_factory=SwitchesSettings)


def read(block: Any) -> tuple[PerformanceSettings, list[str]]:
    """The settings that `block` asks for, and a sentence for each key that is unknown or of a wrong type.

    What is wrong has its default, so that the system checks can tell of it. No sentence holds a value.
    """
    if not isinstance(block, Mapping):
        return PerformanceSettings(), ["PERFORMANCE must be a dictionary."]
    sections, errors = {}, []
    known = {f.name.upper(): f for f in dataclasses.fields(PerformanceSettings)}
    for name, values in block.items():
        if name not in known:
            errors.append(f"PERFORMANCE has no section {name!r}; it has {', '.join(known)}.")
            continue
        section, wrong = _section(known[name].default_factory, values)  # type: ignore[arg-type]
        sections[known[name].name] = section
        errors += [f"PERFORMANCE[{name!r}]{sentence}" for sentence in wrong]
    return PerformanceSettings(**sections), errors


def _section(kind: type[Any], values: Any) -> tuple[Any, list[str]]:
    if not isinstance(values, Mapping):
        return kind(), [" must be a dictionary."]
    standard = kind()
    known = {f.name.upper(): f.name for f in dataclasses.fields(kind)}
    errors = [f" has no key {key!r}." for key in sorted(set(values) - set(known), key=str)]
    given = {}
    for key in known.keys() & values.keys():
        wanted = _wanted(getattr(standard, known[key]))
        if wanted.holds(values[key]):
            given[known[key]] = values[key]
        else:
            errors.append(f"[{key!r}] must be {wanted.words}.")
    return kind(**given), sorted(errors)


class _Wanted(NamedTuple):
    types: type | tuple[type, ...]
    words: str

    def holds(self, value: object) -> bool:
        # True is an int to Python, and no number to whoever wrote it.
        return isinstance(value, self.types) and (self.types is bool or not isinstance(value, bool))


_KINDS: Final = {
    bool: _Wanted(bool, "True or False"),
    int: _Wanted(int, "a whole number"),
    float: _Wanted((int, float), "a number"),
    str: _Wanted(str, "text"),
    # One text would pass for a list of its letters.
    tuple: _Wanted((list, tuple, set, frozenset), "a list"),
    dict: _Wanted(dict, "a dictionary"),
}


def _wanted(default: object) -> _Wanted:
    return _KINDS[type(default)]


_turned_off: frozenset[str] = frozenset()


@functools.cache
def current() -> PerformanceSettings:
    """What holds now: settings.PERFORMANCE, less what staff have turned off."""
    found = configured()
    for name in _turned_off:
        section, _, key = name.partition(".")
        part = dataclasses.replace(getattr(found, section), **{key: False})
        found = dataclasses.replace(found, **{section: part})
    return found


def configured() -> PerformanceSettings:
    """What settings.PERFORMANCE asks for, whatever staff have turned off."""
    return read(getattr(settings, "PERFORMANCE", {}))[0]


def turn_off(names: frozenset[str]) -> None:
    """These flags, such as "cache.enabled", are off in this process until it is told otherwise."""
    global _turned_off
    if names != _turned_off:
        _turned_off = names
        current.cache_clear()


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "PERFORMANCE":
        current.cache_clear()


setting_changed.connect(_forget, dispatch_uid="performance.conf")
