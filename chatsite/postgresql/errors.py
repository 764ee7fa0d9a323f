"""What an error of the database says of the database itself."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

# https://www.postgresql.org/docs/current/errcodes-appendix.html
GONE = ("08", "57P", "53")  # connection failures, shutting down or starting up, out of resources


def is_away(error: BaseException | None) -> bool:
    """Whether `error` says that there is no database to be had, and nothing of the statement's own."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(GONE)  # None: the client never got through
