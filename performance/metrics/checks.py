"""System checks of measuring, health and /metrics: what is unsafe, and what would be useless."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

from performance import conf
from performance.conf import MetricsSettings

QUERY_LOG = "performance.middleware.QueryLogMiddleware"
PERFORMANCE = "performance.middleware.PerformanceMiddleware"
TEMPLATES = "performance.rendering.DjangoTemplates"
SHORT_TOKEN = 20


def check_measuring() -> Iterator[checks.CheckMessage]:
    """Warnings performance.W010 to W016; nothing where metrics are off."""
    metrics = conf.current().metrics
    if metrics.enabled:
        yield from _check_middleware(list(settings.MIDDLEWARE))
        yield from _check_store(metrics)
        yield from _check_retention(metrics)
        yield from _check_templates()


def _warning(number: int, message: str, hint: str) -> checks.Warning:
    return checks.Warning(message, hint=hint, id=f"performance.W{number:03}")


def _check_middleware(middleware: list[str]) -> Iterator[checks.CheckMessage]:
    if PERFORMANCE not in middleware:
        yield _warning(
            10,
            "MIDDLEWARE has no PerformanceMiddleware: no request is measured.",
            f'Put "{PERFORMANCE}" at its top, or set PERFORMANCE["METRICS"]["ENABLED"] to False.',
        )
        return
    position = middleware.index(PERFORMANCE)
    if QUERY_LOG in middleware and middleware.index(QUERY_LOG) > position:
        yield _warning(
            11,
            "QueryLogMiddleware stands below PerformanceMiddleware: statements are counted twice.",
            "Put QueryLogMiddleware above it.",
        )
    above = [name for name in middleware[:position] if name != QUERY_LOG]
    if above:
        yield _warning(
            12,
            f"{above[0]} stands above PerformanceMiddleware: its time is not measured.",
            "Put PerformanceMiddleware at the top of MIDDLEWARE, below QueryLogMiddleware.",
        )


def _check_store(metrics: MetricsSettings) -> Iterator[checks.CheckMessage]:
    if not metrics.location:
        yield _warning(
            13,
            'PERFORMANCE["METRICS"] has no LOCATION: nothing is recorded.',
            "Give it the URL of the queues' Redis, or set ENABLED to False.",
        )
    elif metrics.location in _cache_locations():
        yield _warning(
            14,
            'PERFORMANCE["METRICS"]["LOCATION"] is a cache\'s Redis, which throws away what it likes.',
            "Give it the URL of the queues' Redis, whose policy is noeviction.",
        )


def _cache_locations() -> set[str]:
    found: list[Any] = [entry.get("LOCATION", "") for entry in settings.CACHES.values()]
    return {one for each in found for one in ([each] if isinstance(each, str) else each)}


def _check_retention(metrics: MetricsSettings) -> Iterator[checks.CheckMessage]:
    if min(metrics.keep_minutes, metrics.keep_hours) < 1 or metrics.keep_live < 900:
        yield _warning(
            15,
            'PERFORMANCE["METRICS"] keeps too little: alerts and charts will have holes.',
            "KEEP_MINUTES (hours) and KEEP_HOURS (days) want 1 or more, KEEP_LIVE 900 seconds or more.",
        )
    if metrics.flush_seconds <= 0 or metrics.sample_requests < 1 or metrics.most_series < 1:
        yield _warning(
            16,
            'PERFORMANCE["METRICS"] records nothing that anybody could see.',
            "FLUSH_SECONDS, SAMPLE_REQUESTS and MOST_SERIES want more than 0.",
        )


def _check_templates() -> Iterator[checks.CheckMessage]:
    backends = [entry["BACKEND"] for entry in settings.TEMPLATES]
    if "django.template.backends.django.DjangoTemplates" in backends:
        yield checks.Info(
            "TEMPLATES names Django's own backend: the time of rendering is not measured.",
            hint=f'"{TEMPLATES}" is the same with a stop watch.',
            id="performance.I001",
        )


def check_tokens() -> Iterator[checks.CheckMessage]:
    """Warnings performance.W017 and W018, for `check --deploy`."""
    health = conf.current().health
    if not (health.metrics_token or health.metrics_loopback):
        yield _warning(
            17,
            "/metrics is open to nobody: there is no METRICS_TOKEN, and behind a proxy this machine's "
            "address proves nothing.",
            "Set METRICS_TOKEN, and give it to Prometheus as a bearer token.",
        )
    for name, token in (("TOKEN", health.token), ("METRICS_TOKEN", health.metrics_token)):
        if token and len(token) < SHORT_TOKEN:
            yield _warning(
                18,
                f'PERFORMANCE["HEALTH"]["{name}"] is short enough to be guessed.',
                f"{SHORT_TOKEN} random characters or more.",
            )
