"""Puts the shipped rules into the table: those that are missing, or one that is to be as shipped."""

from __future__ import annotations

from typing import Any

from django.apps import apps as global_apps
from django.db import DEFAULT_DB_ALIAS

from performance.alerts.defaults import DEFAULTS, Default
from performance.models import AlertRule

RULE = "performance.AlertRule"


def install(*, apps: Any = global_apps, using: str = DEFAULT_DB_ALIAS, **_kwargs: object) -> None:
    """Adds the shipped rules that are missing; a receiver of post_migrate.

    Not after a migration backwards, which leaves the table in another shape or none.
    """
    if using != DEFAULT_DB_ALIAS or not _is_ours(apps):
        return
    taken = set(AlertRule.objects.values_list("name", flat=True))
    taken |= set(AlertRule.objects.values_list("shipped", flat=True))
    missing = [default for default in DEFAULTS if default.name not in taken]
    if missing:
        AlertRule.objects.bulk_create(_rule(default) for default in missing)
        _hold_back({default.name for default in missing})


def _is_ours(apps: Any) -> bool:
    found = [model for model in apps.get_models() if model._meta.label == RULE]  # noqa: SLF001 - Django's own name
    return bool(found) and _columns(found[0]) == _columns(AlertRule)


def _columns(model: Any) -> set[str]:
    return {field.column for field in model._meta.concrete_fields}  # noqa: SLF001


def reset(rule: AlertRule) -> bool:
    """Gives a shipped rule its shipped values again; False where it is none of them."""
    for default in DEFAULTS:
        if default.name == rule.shipped:
            fresh = _rule(default)
            fresh.pk, fresh.created_at = rule.pk, rule.created_at
            if AlertRule.objects.filter(name=fresh.name).exclude(pk=rule.pk).exists():
                fresh.name = rule.name  # another rule has taken it meanwhile
            fresh.save(force_update=True)
            _hold_back({default.name})
            return True
    return False


def _rule(default: Default) -> AlertRule:
    return AlertRule(
        name=default.name,
        title=default.title,
        runbook=default.name,
        shipped=default.name,
        **default.values,
    )


def _hold_back(names: set[str]) -> None:
    rules = {rule.shipped: rule for rule in AlertRule.objects.exclude(shipped="")}
    for default in DEFAULTS:
        if default.name in names:
            after = [rules[name] for name in default.after if name in rules]
            rules[default.name].inhibited_by.set(after)
