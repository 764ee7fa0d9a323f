"""`manage.py load_accounts 100`: people for a load test, as CSV; `--forget` deletes them and all they wrote."""

from __future__ import annotations

import csv
import secrets
from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

PREFIX = "load-"
MOST = 10_000
HOURS = 6  # that a session lasts


class Command(BaseCommand):
    help = "Makes accounts for a load test, each with a session, and writes them as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=int, nargs="?", default=0, help=f"at most {MOST:,}")
        parser.add_argument(
            "--forget",
            action="store_true",
            help=f"delete every account whose name begins with {PREFIX!r}, and its conversations",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forget"]:
            _, deleted = get_user_model().objects.filter(username__startswith=PREFIX).delete()
            self.stderr.write(f"Deleted {deleted.get('auth.User', 0):,} accounts.")
            return
        if not 0 < options["count"] <= MOST:
            raise CommandError(f"The count must be from 1 to {MOST:,}, not {options['count']}.")
        rows = csv.writer(self.stdout)
        rows.writerow(["username", "email", "password", "session"])
        # One for all of them: hashing a password is made to be slow.
        password = secrets.token_urlsafe(16)
        hashed = make_password(password)
        for _ in range(options["count"]):
            user = _user(hashed)
            rows.writerow([user.username, user.email, password, _session(user)])


def _user(hashed: str) -> User:
    name = f"{PREFIX}{secrets.token_hex(6)}"
    return get_user_model().objects.create(
        username=name, email=f"{name}@load.invalid", password=hashed
    )


def _session(user: User) -> str:
    """The key of a session that is signed in, as a log-in by password would have made it."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(3600 * HOURS)
    store.create()
    return str(store.session_key)
