from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.db import IntegrityError, OperationalError, ProgrammingError

from performance import tracebacks
from performance.queues.exceptions import QueueFull

CANARY = "canary-3391"


class Promising(Exception):
    loggable = True


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError(CANARY)


def raised(make: Callable[[], object]) -> BaseException:
    try:
        _raise(make())
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error


def _raise(error: object) -> NoReturn:
    assert isinstance(error, BaseException)
    raise error


def noted() -> BaseException:
    error = RuntimeError(CANARY)
    error.add_note(CANARY)
    return error


@pytest.mark.parametrize(
    "make",
    [
        lambda: ValueError(f"no date: {CANARY}"),
        lambda: int(CANARY),
        lambda: {}[CANARY],
        lambda: getattr("", CANARY),
        lambda: CANARY.encode("utf-16").decode("ascii"),
        lambda: Path(f"/{CANARY}").stat(),
        lambda: redis.ResponseError(f"unknown command, with args beginning with: {CANARY}"),
        lambda: IntegrityError(f"refused: {CANARY}"),
        lambda: psycopg.errors.CheckViolation(f"Failing row contains ({CANARY})"),
        lambda: ExceptionGroup(CANARY, [ValueError(CANARY)]),
        noted,
        Unprintable,
    ],
)
def test_no_message_is_told_that_may_quote_a_person(make: Callable[[], object]) -> None:
    error = raised(make)
    text = tracebacks.formatted(error)
    assert CANARY not in text
    assert CANARY not in tracebacks.line(error)
    assert type(error).__qualname__ in text
    assert "test_tracebacks.py" in text


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (Promising("It says so."), "It says so."),
        (QueueFull("high", 7, 3), "7 jobs wait"),
        (ImproperlyConfigured("SECRET_KEY is not set."), "SECRET_KEY"),
        (DisallowedHost("Invalid HTTP_HOST header: 'chat.example'."), "chat.example"),
        (redis.ConnectionError("Error 111 connecting to cache:6379."), "cache:6379"),
        (OperationalError("connection refused"), "connection refused"),
        (psycopg.errors.UndefinedTable('relation "lost" does not exist\nLINE 1'), "lost"),
        (FileNotFoundError(2, "No such file or directory", CANARY), "No such file or directory"),
        (ModuleNotFoundError("No module", name="orjson"), "orjson"),
    ],
)
def test_what_helps_and_quotes_nobody_is_kept(error: BaseException, kept: str) -> None:
    assert kept in tracebacks.formatted(error)
    assert CANARY not in tracebacks.formatted(error)


def test_causes_are_told_by_the_same_rule() -> None:
    def fail() -> None:
        try:
            int(CANARY)
        except ValueError as error:
            raise ProgrammingError(CANARY) from error

    text = tracebacks.formatted(raised(fail))
    assert text.count(tracebacks.LEFT_OUT) == 2
    assert CANARY not in text


def test_a_chain_may_be_longer_than_the_stack_is_deep() -> None:
    first = error = raised(lambda: int(CANARY))
    for _ in range(2 * sys.getrecursionlimit()):
        error, error.__context__ = KeyError(CANARY), error
    first.__cause__ = error  # and a ring at that
    text = tracebacks.formatted(error)
    assert text.count("was being handled during") == 2 * sys.getrecursionlimit()
    assert text.startswith("Traceback")
    assert CANARY not in text


@pytest.fixture
def shown() -> Iterator[None]:
    tracebacks.show_all(True)
    yield
    tracebacks.show_all(False)


@pytest.mark.usefixtures("shown")
def test_on_ones_own_machine_messages_may_be_shown() -> None:
    assert CANARY in tracebacks.formatted(raised(lambda: int(CANARY)))


def test_an_error_without_a_message_is_its_name() -> None:
    assert tracebacks.line(ValueError()) == "ValueError"
