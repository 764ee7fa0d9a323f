"""Every sentence that `up` says at length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings

from chatsite import embedded
from chatsite.up.preparation import Account

Strong = Callable[[str], str]

STOPPED = "Stopped before it was ready."
SERVERS = {"database": "PostgreSQL", "cache": "Valkey (cache)", "queue": "Valkey (queue)"}


def starting(*, as_root: bool) -> str:
    lines = ["Starting chatsite; its data is in " + str(_data())]
    if as_root:
        lines.append("  You are root: fine here, and the database runs as another user.")
    return "\n".join(lines)


def open_to_others(host: str, allowed: Sequence[str]) -> str:
    return (
        f"  Listening on {host}, so others can reach this development mode, which shows details of\n"
        f"  errors. It answers to these names (ALLOWED_HOSTS): {', '.join(allowed)}"
    )


def servers(names: Sequence[str]) -> str:
    if len(names) == len(SERVERS):
        return "PostgreSQL and two Valkeys"
    return " and ".join(SERVERS[name] for name in names)


def welcome(url: str, account: Account, strong: Strong) -> str:
    lines = ["", f"  Open      {strong(url)}"]
    if account.name:
        lines.append(log_in(account, strong))
    return "\n".join([*lines, *_assistant(), "  Stop      Ctrl-C", ""])


def log_in(account: Account, strong: Strong) -> str:
    if account.password:
        return (
            f"  Log in    {strong(account.name)}, password {strong(account.password)}"
            "  (shown this once; opens /admin/ as well)"
        )
    return (
        f"  Log in    {strong(account.name)}"
        f"  (new password: .venv/bin/python manage.py changepassword {account.name})"
    )


def _data() -> Path:
    """Not always DATA_DIR: root's own is closed to the database's user."""
    return embedded.home(settings.DATA_DIR) if settings.DEBUG else settings.DATA_DIR


def _assistant() -> list[str]:
    if settings.LLM_BASE_URL:
        return [
            f"  Assistant {settings.LLM_MODEL or 'the default model'} at {settings.LLM_BASE_URL}"
        ]
    if settings.CHAT_BACKENDS["default"] != settings.CHAT_BACKENDS["guide"]:
        return []
    return [
        "  Assistant the Guide, which quotes the help pages and is no language model. To connect one:",
        "            LLM_BASE_URL=http://localhost:8080/v1 LLM_MODEL=my-model make run",
    ]


def database(error: Exception, *, embedded: bool) -> str:
    reason = str(error).strip().partition("\n")[0]
    if embedded:
        return f"The database failed: {reason}\nIts log: {_data()}/log/postgresql.log"
    return f"The database at DATABASE_URL failed: {reason}"
