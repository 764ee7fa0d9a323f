"""System checks of PERFORMANCE["QUERIES"]: E020 to E022 are errors, W020 and W021 warnings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

from performance import conf
from performance.queries.budgets import Budget

MIDDLEWARE = "performance.middleware.QueryLogMiddleware"
AT_LEAST_0 = ("slow_ms", "long_transaction_ms", "connection_wait_ms")
AT_LEAST_1 = ("max_fingerprints", "keep_samples_days", "keep_statistics_days")


def check_all() -> Iterator[checks.CheckMessage]:
    """Nothing where queries are not watched."""
    queries = conf.current().queries
    if queries.enabled:
        yield from _check_numbers(queries)
        yield from _check_budgets(queries.budgets)
        yield from _check_middleware()
        yield from _check_pools()


def _check_numbers(queries: conf.QueriesSettings) -> Iterator[checks.CheckMessage]:
    for names, least in ((AT_LEAST_0, 0), (AT_LEAST_1, 1)):
        for name in names:
            value = getattr(queries, name)
            if not _is_number(value) or value < least:
                yield checks.Error(
                    f"PERFORMANCE['QUERIES']['{name.upper()}'] must be a number of {least} or more.",
                    id="performance.E020",
                )
    if not _is_number(queries.sample_rate) or not 0 <= queries.sample_rate <= 1:
        yield checks.Error(
            "PERFORMANCE['QUERIES']['SAMPLE_RATE'] must be a share from 0 to 1.",
            id="performance.E021",
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_budgets(budgets: dict[str, dict[str, float]]) -> Iterator[checks.CheckMessage]:
    for view, budget in budgets.items():
        try:
            Budget(**budget)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            yield checks.Error(
                f"PERFORMANCE['QUERIES']['BUDGETS'][{view!r}] is no budget: {error}",
                hint='A budget is {"max_queries": 5, "max_ms": 50} or one of the two.',
                id="performance.E022",
            )


def _check_middleware() -> Iterator[checks.CheckMessage]:
    if MIDDLEWARE not in settings.MIDDLEWARE:
        yield checks.Warning(
            "MIDDLEWARE has no QueryLogMiddleware: no statement of a request is logged.",
            hint=f'Put "{MIDDLEWARE}" at its top, or set PERFORMANCE["QUERIES"]["ENABLED"] to False.',
            id="performance.W020",
        )


def _check_pools() -> Iterator[checks.CheckMessage]:
    for alias, database in settings.DATABASES.items():
        if database.get("OPTIONS", {}).get("pool") and not database.get("CONN_HEALTH_CHECKS"):
            yield checks.Warning(
                f"DATABASES[{alias!r}] has a pool and no CONN_HEALTH_CHECKS.",
                hint="After a restart of PostgreSQL each broken connection of the pool fails a request.",
                id="performance.W021",
            )
