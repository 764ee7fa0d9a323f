"""Which manage.py commands need the servers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.holders import running

# These read no database, cache or queue, so that servers would only cost a second; `up` starts its
# own and says so.
WITHOUT = {
    "", "--help", "-h", "--version", "help", "version", "check", "collectstatic", "compilemessages",
    "diffsettings", "findstatic", "makemessages", "makemigrations", "sendtestemail", "startapp",
    "startproject", "testserver", "up",
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

    In production (DEBUG off) there are none. Ends the process with a message when they cannot run.
    """
    if not _needs_servers(argv):
        yield
        return
    try:
        with running(settings.DATA_DIR, missing_servers() if settings.DEBUG else ()):
            yield
    except (EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(f"{error}")


def _needs_servers(argv: Sequence[str]) -> bool:
    command = argv[1] if len(argv) > 1 else ""
    if "--help" in argv or "-h" in argv:
        return False
    return command not in WITHOUT or (command == "check" and "--database" in argv)
