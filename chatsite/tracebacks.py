"""Tracebacks for the log: files and lines, no values of variables, and no values out of the database's mouth.

PostgreSQL quotes what it refuses ('invalid input syntax for type integer: "..."', 'Failing row contains
(...)'), and that may be what a person wrote.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

from django.db import Error

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
# https://www.postgresql.org/docs/current/errcodes-appendix.html
QUOTING = ("22", "23", "P0", "42601")  # data, integrity, raised by functions, syntax


def formatted(exc_info: ExcInfo) -> str:
    """The traceback as Python would print it, causes first."""
    return "".join(_parts(exc_info[1], set())).rstrip()


def write(to: TextIO, exc_info: ExcInfo) -> None:
    """For structlog's console."""
    to.write(f"\n{formatted(exc_info)}")


def _parts(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _parts(before, seen)
        why = "caused" if error.__cause__ else "was being handled during"
        yield f"\nThat {why} the following:\n\n"
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(error.__traceback__)
    yield f"{_name(type(error))}: {_message(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _parts(part, seen)


def _name(kind: type[BaseException]) -> str:
    own = kind.__module__ in {"builtins", "__main__"}
    return kind.__qualname__ if own else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - whatever __str__ may raise
        return "(it cannot be printed)"
    if not _is_of_the_database(error):
        return text
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
    if state.startswith(QUOTING):
        return f"SQLSTATE {state}; its words may quote values and are left out"
    return (
        text.partition("\n")[0] if state else text
    )  # DETAIL and CONTEXT come after the first line


def _is_of_the_database(error: BaseException) -> bool:
    psycopg = sys.modules.get("psycopg")
    return isinstance(error, Error) or (psycopg is not None and isinstance(error, psycopg.Error))
