"""System checks of the settings block; `manage.py check` prints what they find."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.db import DEFAULT_DB_ALIAS, connections, router

from performance import conf
from performance.alerts import channels
from performance.alerts.channels import addresses
from performance.cache.keys import is_inside
from performance.health import SERVICES
from performance.metrics import checks as metric_checks
from performance.queries import checks as query_checks


@register
def check_settings(**kwargs: object) -> list[CheckMessage]:
    _, errors = conf.read(getattr(settings, "PERFORMANCE", {}))
    return [Error(message, id="performance.E001") for message in errors]


@register(Tags.database)
def check_database(databases: Sequence[str] | None = None, **kwargs: object) -> list[CheckMessage]:
    """The tables are of PostgreSQL, with partial indexes, triggers and COPY; `migrate` asks for this check."""
    return [
        Error(
            f"DATABASES[{alias!r}] is no PostgreSQL, which the tables of performance want.",
            hint="Use PostgreSQL 15 or newer, or take performance out of INSTALLED_APPS: "
            "the cache backends work without.",
            id="performance.E003",
        )
        for alias in databases or ()
        if connections[alias].vendor != "postgresql" and router.allow_migrate(alias, "performance")
    ]


@register
def check_optional_services(**kwargs: object) -> list[CheckMessage]:
    """A misspelt service would keep the site out of rotation when the one that was meant is down."""
    known = {
        *SERVICES,
        *(f"database:{alias}" for alias in connections if alias != DEFAULT_DB_ALIAS),
    }
    return [
        Error(
            f"PERFORMANCE['HEALTH']['OPTIONAL'] names {name!r}; the services are "
            f"{', '.join(sorted(known))}.",
            id="performance.E004",
        )
        for name in conf.current().health.optional
        if name not in known
    ]


@register
def check_metrics(**kwargs: object) -> list[CheckMessage]:
    """What is useless about the settings of measuring."""
    return list(metric_checks.check_measuring())


@register(Tags.security, deploy=True)
def check_tokens(**kwargs: object) -> list[CheckMessage]:
    """Who may read health and /metrics."""
    return list(metric_checks.check_tokens())


@register
def check_queries(**kwargs: object) -> list[CheckMessage]:
    """Numbers and budgets that cannot be, and what would go unseen."""
    return list(query_checks.check_all())


@register
def check_prefixes(**kwargs: object) -> list[CheckMessage]:
    """Prefixes "a" and "a:1" name the same keys: the second's key "k" is the first's key "1:k"."""
    prefixes = {alias: str(entry.get("KEY_PREFIX", "")) for alias, entry in settings.CACHES.items()}
    return [
        Warning(
            f"CACHES[{inner!r}] has KEY_PREFIX {prefixes[inner]!r}, whose keys could be keys of "
            f"CACHES[{outer!r}], which has {prefixes[outer]!r}.",
            hint="Give one of them a KEY_PREFIX that does not begin with the other, a colon and a number.",
            id="performance.W001",
        )
        for outer in prefixes
        for inner in prefixes
        if is_inside(prefixes[inner], prefixes[outer])
    ]


@register
def check_alert_channels(**kwargs: object) -> list[CheckMessage]:
    """Options of channels; no message repeats a value, since values are addresses and secrets."""
    settings_of = conf.current().alerts
    problems = list(channels.problems())
    try:
        addresses.networks(settings_of.allowed_networks)
    except ValueError:
        problems.append(
            "PERFORMANCE['ALERTS']['ALLOWED_NETWORKS'] must hold networks such as 10.1.0.0/16."
        )
    problems += [
        f"PERFORMANCE['ALERTS']['ESCALATE_TO'] names {name!r}, which is not one of CHANNELS."
        for name in settings_of.escalate_to
        if name not in settings_of.channels
    ]
    return [Error(problem, id="performance.E002") for problem in problems]


@register(deploy=True)
def check_somebody_is_told(**kwargs: object) -> list[CheckMessage]:
    alerts = conf.current().alerts
    if not alerts.enabled or alerts.channels:
        return []
    return [
        Warning(
            "No channel is set, so alerts show in the admin alone.",
            hint="Set ALERTS_EMAIL, ALERTS_WEBHOOK_URL or ALERTS_APPRISE_URLS.",
            id="performance.W002",
        )
    ]
