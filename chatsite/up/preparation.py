"""What a database needs before the first visit: tables, somebody who may enter, something to see."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from io import StringIO

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

STAFF = "admin"


@dataclass(frozen=True)
class Account:
    """A staff account; `password` only where it is new."""

    name: str
    password: str = ""


def migrate() -> int:
    """Brings the tables up to date; the number of migrations applied."""
    connection = connections["default"]
    executor = MigrationExecutor(connection)
    planned = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if planned:
        call_command("migrate", interactive=False, verbosity=0)
    return planned


def staff_account() -> Account:
    """The first superuser, made with a password that is kept nowhere if there is none yet."""
    first = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if first is not None:
        return Account(first.get_username())
    # Somebody who signed up as "admin" must not become staff by that.
    taken = User.objects.filter(username=STAFF).exists()
    name = f"{STAFF}-{secrets.token_hex(2)}" if taken else STAFF
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(name, password=password)
    return Account(name, password)


def demo(account: Account) -> None:
    call_command("seed_demo", user=account.name, stdout=StringIO())


def static_files() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)


def let_go() -> None:
    """Closes connections and the pool's threads: children start from a process with one thread."""
    for connection in connections.all():
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
