"""Tracebacks for logs and records of tasks: classes, files and lines of source, no values of variables.

Messages are left out, as they may quote what a person wrote ('invalid literal for int() with base 10:
"..."', 'Failing row contains (...)'). Kept are those whose class promises that they do not (a class
attribute `loggable = True`), and those that tell of settings, files and the way to a server.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
# https://www.postgresql.org/docs/current/errcodes-appendix.html
QUOTING = ("22", "23", "P0", "42601")  # data, integrity, raised by functions, syntax
LEFT_OUT = "(its message is left out)"

# By name, so that nothing is imported for the sake of a log.
OF_THE_SYSTEM = {
    "django.core.exceptions.ImproperlyConfigured",
    "django.core.exceptions.DisallowedHost",  # how a wrong ALLOWED_HOSTS is found
    "django.core.exceptions.RequestDataTooBig",
    "django.core.exceptions.TooManyFieldsSent",
    "django.core.exceptions.TooManyFilesSent",
    "redis.exceptions.ConnectionError",
    "redis.exceptions.TimeoutError",
}
OF_THE_DATABASE = {"django.db.utils.Error", "psycopg.Error"}
NO_ANSWER = {  # where they come without an SQLSTATE
    *("django.db.utils.OperationalError", "django.db.utils.InterfaceError"),
    *("psycopg.OperationalError", "psycopg.InterfaceError"),
}

_shows_all = False


def show_all(shown: bool) -> None:
    """Whether messages are kept whatever they say: for one's own machine."""
    global _shows_all
    _shows_all = shown


def formatted(error: BaseException) -> str:
    """The traceback as Python would print it, causes first. No values of variables."""
    return "".join(_parts(error, set())).rstrip()


def write(to: TextIO, exc_info: ExcInfo) -> None:
    """For structlog's console."""
    to.write(f"\n{formatted(exc_info[1])}")


def line(error: BaseException) -> str:
    """Class and message, as the last line of a traceback."""
    return f"{_name(type(error))}{_message(error)}"


def told(error: BaseException) -> str:
    """The message where it cannot hold what a person wrote, else ""."""
    text, kinds = text_of(error), {_path(kind) for kind in type(error).__mro__}
    if _shows_all or kinds & OF_THE_SYSTEM or getattr(type(error), "loggable", False) is True:
        return text
    if kinds & OF_THE_DATABASE:
        return _of_the_database(error, text, without_state=text if kinds & NO_ANSWER else "")
    if isinstance(error, OSError) and error.errno is not None:
        return error.strerror or ""  # without the name of the file
    if isinstance(error, ImportError):
        return error.name or ""
    return ""


def _parts(error: BaseException, seen: set[int]) -> Iterator[str]:
    # By a loop: a chain may be longer than the stack is deep.
    chain = [error, *_before(error, seen)]
    for one, after in zip(reversed(chain), [*chain[-2::-1], None], strict=True):
        yield from _part(one, seen)
        if after is not None:
            why = "caused" if after.__cause__ else "was being handled during"
            yield f"\nThat {why} the following:\n\n"


def _before(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    """What led to it, the nearest first."""
    one: BaseException | None = error
    while one is not None:
        seen.add(id(one))
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        if one is None or id(one) in seen:
            return
        yield one


def _part(error: BaseException, seen: set[int]) -> Iterator[str]:
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(error.__traceback__)
    yield f"{line(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _parts(one, seen)


def _name(kind: type[BaseException]) -> str:
    own = kind.__module__ in {"builtins", "__main__"}
    return kind.__qualname__ if own else _path(kind)


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    said = told(error)
    if said:
        return f": {said}"
    return f": {LEFT_OUT}" if text_of(error) else ""


def text_of(error: BaseException) -> str:
    """Its message as it is; "?" where that cannot be had."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - whatever __str__ may raise
        return "?"


def _of_the_database(error: BaseException, text: str, *, without_state: str) -> str:
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
    if state.startswith(QUOTING):
        return f"SQLSTATE {state}; its words may quote values and are left out"
    # DETAIL and CONTEXT come after the first line.
    return text.partition("\n")[0] if state else without_state
