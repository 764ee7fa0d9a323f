"""Which manage.py commands need the servers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.holders import running

# These read no settings, or work as well with refused ones.
PLAIN = {"", "--help", "-h", "--version", "help", "version", "startapp", "startproject"}
# These read no database, cache or queue; starting servers for them would only cost a second.
# `up` starts them as a step of its own.
WITHOUT = PLAIN | {
    "check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "makemessages",
    "sendtestemail", "up",
}  # fmt: skip
URLS = {"database": "DATABASE_URL", "cache": "CACHE_URL", "queue": "QUEUE_URL"}


def missing_servers() -> tuple[str, ...]:
    """The servers that no address was given for."""
    return tuple(
        name
        for name, key in URLS.items()
        if not (os.environ.get(key) or os.environ.get(f"{key}_FILE"))
    )


@contextmanager
def servers_for(argv: Sequence[str]) -> Iterator[None]:
    """Keeps the embedded servers running for one manage.py command, if it needs them.

    In production (DEBUG off) there are none. Ends the process with a message when they cannot run,
    or when the settings are refused.
    """
    command = argv[1] if len(argv) > 1 else ""
    if command in PLAIN or "--help" in argv or "-h" in argv:
        yield
        return
    local, data_dir = _settings()
    needed = command not in WITHOUT or (command == "check" and "--database" in argv)
    try:
        with running(data_dir, missing_servers() if local and needed else ()):
            yield
    except EmbeddedError as error:
        sys.exit(f"{error}")


def _settings() -> tuple[bool, Path]:
    from django.conf import settings

    try:
        return settings.DEBUG, settings.DATA_DIR
    except (EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(f"{error}")
