"""System checks of the settings block; `manage.py check` prints what they find."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name

from performance import conf
from performance.cache.keys import is_inside
from performance.metrics import checks as metric_checks


@register
def check_settings(**kwargs: object) -> list[CheckMessage]:
    _, errors = conf.read(getattr(settings, "PERFORMANCE", {}))
    return [Error(message, id="performance.E001") for message in errors]


@register
def check_metrics(**kwargs: object) -> list[CheckMessage]:
    """What is unsafe or useless about measuring, health and /metrics."""
    return list(metric_checks.check_all())


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
