"""Switches the watching on: called once, when the app is ready."""

from __future__ import annotations

from performance import conf
from performance.queries import command_scopes, hook, log, task_scopes


def connect() -> None:
    """Watches connections, tasks and commands from now on; nothing where it is switched off."""
    if conf.configured().queries.enabled:
        log.connect()
        task_scopes.connect()
        command_scopes.connect()
    # It looks at the setting with each connection, so that a test may switch it on.
    hook.connect()
