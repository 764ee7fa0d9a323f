"""Structured logs: JSON lines in production, readable ones on a terminal, one correlation id in both."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping
from logging import Filter, LogRecord
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.typing import EventDict, Processor, WrappedLogger

from performance import tracebacks

TOKEN = re.compile(r"(/accounts/(?:password/reset/key|confirm-email)/|/s/)[^/\s]+")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def drop_query_string(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Request lines keep the path alone: search words stand in query strings, tokens in some paths.

    Those of Django itself ("Not Found: /s/...") name paths too.
    """
    request, line = event.get("request"), event.get("event")
    if isinstance(request, str):
        event["request"] = TOKEN.sub(r"\1...", request.partition("?")[0])
    if isinstance(line, str):
        event["event"] = TOKEN.sub(r"\1...", line)
    return event


def escape_control_characters(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What a client sends must not move the cursor of the terminal that shows the log, nor end a line."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable() and key != "exception":
            event[key] = value.encode("unicode_escape").decode("ascii")
    return event


def tell_exceptions(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An exception among the values of a line is told as in a traceback: without what it may quote."""
    for key, value in event.items():
        if isinstance(value, BaseException) and key != "exc_info":
            event[key] = tracebacks.line(value)
    return event


class WithoutMessages(Filter):
    """The same for lines of loggers that are not structlog's."""

    def filter(self, record: LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(record.args, tuple):
            record.args = tuple(_told(one, error) for one in record.args)
        elif isinstance(record.args, Mapping):
            record.args = {name: _told(one, error) for name, one in record.args.items()}
        record.msg = _told(record.msg, error)
        if record.name == "asyncio" and record.exc_info:
            # "Task exception was never retrieved", and in the lines below the exception's repr.
            record.msg, record.args = record.getMessage().partition("\n")[0], ()
        return True


def _told(value: object, error: BaseException | None) -> object:
    """`value` unless it is an exception, or the text of `error`: Django logs those of bad requests."""
    if isinstance(value, BaseException):
        return tracebacks.line(value)
    if error is None or not isinstance(value, str):
        return value
    quoted = tracebacks.text_of(error)
    escaped = quoted.encode("unicode_escape").decode("ascii")
    return tracebacks.line(error) if value and value in {quoted, escaped} else value


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit and args.exc_value is not None:
        name = args.thread.name if args.thread else ""
        structlog.get_logger("threading").error(
            "thread_failed", thread=name, exc_info=args.exc_value
        )


PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    tell_exceptions,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.UnicodeDecoder(),
    drop_query_string,
    escape_control_characters,
]


def configure_logging(level: str, style: str, *, messages: bool = False) -> dict[str, Any]:
    """Sets structlog up and returns Django's LOGGING, so that both write the same lines to stderr.

    `messages`: those of all exceptions are kept, whatever they quote, and at DEBUG statements with values.
    """
    if level not in LEVELS:
        raise ImproperlyConfigured(f"LOG_LEVEL must be one of {', '.join(LEVELS)}.")
    if style not in {"json", "console"}:
        raise ImproperlyConfigured("LOG_FORMAT must be json or console.")
    tracebacks.show_all(messages)
    threading.excepthook = _thread_failed  # Python's own writes to stderr, message and all
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderers: list[Processor] = (
        [
            structlog.processors.ExceptionRenderer(lambda info: tracebacks.formatted(info[1])),
            structlog.processors.JSONRenderer(),
        ]
        if style == "json"
        # The library's own choice shows the values of local variables.
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty() or bool(os.environ.get("FORCE_COLOR")),
                exception_formatter=tracebacks.write,
            )
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": PROCESSORS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderers,
                ],
            }
        },
        "filters": {"without messages": {"()": WithoutMessages}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["without messages"],
                "formatter": "line",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django gives it a handler of its own, which would write each line twice.
            "django": {"handlers": [], "level": level},
            "django.server": {"handlers": ["stderr"], "level": level, "propagate": False},
            # With DEBUG on it writes each statement with its values.
            "django.db.backends": {"level": level if messages or level != "DEBUG" else "INFO"},
            # Two lines a task, and the sweeper is a task every few seconds.
            "django.tasks": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
            "django_structlog": {"level": level},
            "httpx2": {"level": "WARNING"},
            "rq": {"level": "WARNING"},
        },
    }
