"""What a report says, and its exit status, where a server that it asks does not answer."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.db import DatabaseError, ProgrammingError, connection

FAILED = 2
"""Exit status: nothing can be said. 1 is for what was found to be wrong."""


def no_redis(reason: object) -> CommandError:
    return CommandError(f"Redis does not answer ({reason}).", returncode=FAILED)


def no_database(error: DatabaseError) -> CommandError:
    """Without the statement and its values."""
    if connection.vendor != "postgresql":
        return CommandError(
            f"The database is {connection.display_name}, not PostgreSQL.", returncode=FAILED
        )
    name = type(error.__cause__ or error).__name__
    if isinstance(error, ProgrammingError):
        return CommandError(
            f"The database has other tables than this code ({name}): run manage.py migrate.",
            returncode=FAILED,
        )
    return CommandError(f"PostgreSQL does not answer ({name}).", returncode=FAILED)
