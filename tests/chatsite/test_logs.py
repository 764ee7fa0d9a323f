from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite.logs import configure_logging, drop_query_string

ROOT = Path(__file__).parents[2]
PROGRAM = """
import logging, logging.config, sys, structlog
from django.utils.log import configure_logging as configure
from chatsite.logs import configure_logging
configure("logging.config.dictConfig", configure_logging("INFO", sys.argv[1]))
structlog.contextvars.bind_contextvars(correlation_id="abc")
{}
"""


def logged(statements: str, style: str = "json") -> list[str]:
    """What a process that runs `statements` writes; logging is a process's own, so not in this one."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statements), style],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stderr.splitlines()


def test_both_kinds_of_logger_write_one_json_line_with_the_correlation_id() -> None:
    lines = logged(
        "structlog.get_logger('a').info('sent', size=3)\n"
        "logging.getLogger('b').info('got %s', 4)\n"
        "logging.getLogger('django.tasks').info('ran')\n"
        "logging.getLogger('django.tasks').warning('failed')\n"
        "logging.getLogger('django.request').warning('Not Found')\n"
    )
    events = [json.loads(line) for line in lines]
    assert [event["event"] for event in events] == ["sent", "got 4", "failed", "Not Found"]
    assert {event["correlation_id"] for event in events} == {"abc"}
    assert events[0]["size"] == 3


def test_a_traceback_shows_no_values_of_variables() -> None:
    statements = (
        "def fail(password):\n    raise ValueError('wrong')\n"
        "try:\n    fail('s3' + 'cret')\n"
        "except ValueError:\n    structlog.get_logger('a').exception('failed')\n"
    )
    for style in ("json", "console"):
        text = "\n".join(logged(statements, style))
        assert "ValueError" in text
        assert "s3cret" not in text


REFUSED = """
import django.db, psycopg
def refuse(kind, words):
    try:
        raise kind(words)
    except psycopg.Error as error:
        raise django.db.IntegrityError(words) from error
def tell(kind, words):
    try:
        refuse(kind, words)
    except django.db.Error:
        structlog.get_logger('a').exception('failed')
        logging.getLogger('b').exception('failed')
tell(psycopg.errors.CheckViolation, 'new row violates x\\nDETAIL:  Failing row contains (canary-9).')
tell(psycopg.errors.InvalidTextRepresentation, 'invalid input syntax for type integer: "canary-9"')
tell(psycopg.errors.UndefinedTable, 'relation "lost" does not exist\\nLINE 1: SELECT canary-9')
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_what_postgresql_quotes_is_left_out(style: str) -> None:
    text = "\n".join(logged(REFUSED, style))
    assert "canary-9" not in text
    for kept in ("SQLSTATE 23514", "SQLSTATE 22P02", "lost", "in refuse", "IntegrityError"):
        assert kept in text


QUOTING = """
import asyncio, threading
def fail(words='canary-' + '9'):
    raise ValueError(words)
async def forgotten():
    task = asyncio.create_task(later())
    await asyncio.sleep(0.01)
async def later():
    fail()
try:
    fail()
except ValueError as error:
    logging.getLogger('b').warning('refused: %s', error)
    logging.getLogger('b').warning('by name: %(why)s', {'why': error})
    structlog.get_logger('a').exception('failed', error=error)
    logging.getLogger('b').exception('failed')
refused = logging.getLogger('django.security.SuspiciousFileOperation')
for words in ('canary-9', 'canary-9 \\u00e4'):
    try:
        fail(words)
    except ValueError as error:
        refused.error(str(error), exc_info=error)
        refused.warning('%s: %s', str(error).encode('unicode_escape').decode(), '/c/', exc_info=error)
thread = threading.Thread(target=fail, name='helper')
thread.start()
thread.join()
asyncio.run(forgotten())
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_line_quotes_the_message_of_an_exception(style: str) -> None:
    text = "\n".join(logged(QUOTING, style))
    assert "canary-9" not in text
    assert text.count("in fail") == 8
    for kept in (
        "refused: ValueError",
        "by name: ValueError",
        ": /c/",
        "thread_failed",
        "helper",
        "never retrieved",
    ):
        assert kept in text


def test_no_colours_outside_a_terminal() -> None:
    assert "\x1b" not in "\n".join(logged("logging.getLogger('a').warning('x')", "console"))


def test_query_strings_are_dropped() -> None:
    event = drop_query_string(None, "info", {"request": "GET /search/?q=private"})
    assert event["request"] == "GET /search/"


@pytest.mark.parametrize(("level", "style"), [("LOUD", "json"), ("INFO", "xml")])
def test_unknown_words_are_refused(level: str, style: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="must be"):
        configure_logging(level, style)


def test_request_lines_hold_no_query_and_no_token() -> None:
    for line, kept in [
        ("GET /search/?q=secret", "GET /search/"),
        (
            "GET /accounts/password/reset/key/1-cxy0-abcdef/",
            "GET /accounts/password/reset/key/.../",
        ),
        ("GET /accounts/confirm-email/MQ:1x:abc/", "GET /accounts/confirm-email/.../"),
        ("GET /s/abc-def_123/?from=51", "GET /s/.../"),
    ]:
        assert drop_query_string(None, "info", {"request": line}) == {"request": kept}


def test_djangos_own_lines_hold_no_token() -> None:
    event = drop_query_string(None, "warning", {"event": "Too Many Requests: /s/abc-def_123/"})
    assert event["event"] == "Too Many Requests: /s/.../"
