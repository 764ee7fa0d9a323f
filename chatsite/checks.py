"""What `manage.py check --deploy` says of the site's own settings."""

from __future__ import annotations

from typing import Any

from django.core.checks import Warning as CheckWarning

from chatsite.timeouts import Role, every


def deadlines(**_kwargs: Any) -> list[CheckWarning]:
    """chatsite.W001: a page may wait for PostgreSQL for ever, and its thread with it."""
    web = every()[Role.WEB]
    limits = {
        "DATABASE_STATEMENT_TIMEOUT": web.statement,
        "DATABASE_LOCK_TIMEOUT": web.lock,
        "DATABASE_IDLE_TIMEOUT": web.idle_in_transaction,
    }
    return [
        CheckWarning(
            f"{name} is 0, so one stuck statement holds a web process's thread for ever.",
            hint=f"Unset {name}, or give it seconds.",
            id="chatsite.W001",
        )
        for name, seconds in limits.items()
        if not seconds
    ]
