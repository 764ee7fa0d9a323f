"""Django on the test servers, outside of pytest: what a benchmark runs in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def test_database() -> Iterator[None]:
    """Starts the servers of the tests, sets Django up and makes an empty database."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    import django
    from django.conf import settings

    from chatsite.embedded import running

    names = tuple(filter(None, os.environ.get("TEST_EMBEDDED", "database,cache,queue").split(",")))
    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    with running(settings.DATA_DIR, names, volatile=True):
        databases = setup_databases(verbosity=0, interactive=False)
        try:
            yield
        finally:
            teardown_databases(databases, verbosity=0)
