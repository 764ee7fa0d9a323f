"""Where a project has not set structlog up, its events go through Python's logging: LOGGING decides."""

from __future__ import annotations

from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger


def configure() -> None:
    """Leaves a project's own configuration alone; structlog's default prints everything to stdout."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.contextvars.merge_contextvars,
                _as_record,
            ],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
        )


def _as_record(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> tuple[tuple[str], dict[str, Any]]:
    """`enqueue_postponed task='shop.tasks.bill' jobs=3`, with the traceback where there is one."""
    name = str(event.pop("event", ""))
    options = {"exc_info": event.pop("exc_info")} if "exc_info" in event else {}
    return (" ".join([name, *(f"{key}={value!r}" for key, value in event.items())]),), options
