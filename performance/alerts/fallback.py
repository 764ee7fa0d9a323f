"""When PostgreSQL is away no alert can be written: this tells people all the same, as best it can.

One process of all tells, if the queue server can be asked; else each process does, once.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress

import redis
import structlog
from django.core.exceptions import ImproperlyConfigured

from performance import conf
from performance.alerts import channels
from performance.alerts.channels import ChannelError, Message
from performance.alerts.defaults import DATABASE
from performance.alerts.writing import absolute, path_of
from performance.queues import connection

logger = structlog.get_logger(__name__)

PATIENCE = 15.0
"""Seconds that it must be away before anybody is told."""
CLAIM, CLAIM_SECONDS = "{alerts}:database-away", 900

_lock = threading.Lock()
_since: float | None = None
_told: str = ""


def database_is_away(error: str) -> None:
    """Called again and again while it is; tells once."""
    global _since, _told
    with _lock:
        _since = _since or time.monotonic()
        if time.monotonic() - _since < PATIENCE:
            return
        known, _told = bool(_told), _told or uuid.uuid4().hex
    if known:
        _keep_claim()
        return
    logger.critical("database_away", error=error)
    if _is_ours():
        _send(_told, "PostgreSQL does not answer", "firing", error)


def database_answers() -> None:
    """Called while all is well; tells once if something was told before."""
    global _since, _told
    with _lock:
        told, _since, _told = _told, None, ""
    if told:
        logger.warning("database_back")
        if _release():
            _send(told + "r", "PostgreSQL answers again", "resolved", "")


def _is_ours() -> bool:
    """Whether this process is the one that tells."""
    try:
        return bool(connection.client().set(CLAIM, _told, nx=True, ex=CLAIM_SECONDS))
    except redis.RedisError:
        return True


def _keep_claim() -> None:
    """However long it is away: without the claim nobody would tell that it is back."""
    with suppress(redis.RedisError):
        connection.client().expire(CLAIM, CLAIM_SECONDS)


def _release() -> bool:
    try:
        return bool(connection.client().delete(CLAIM))
    except redis.RedisError:
        return True


def _send(key: str, title: str, news: str, error: str) -> None:
    runbook = absolute(path_of(DATABASE))
    text = f"{news.upper()} (critical): {title}\n  {error}\n  runbook: {runbook}\n"
    message = Message(
        id=key,
        subject=f"[critical] {news}: {title}",
        text=text,
        severity="critical",
        payload={"rule": DATABASE, "title": title, "news": news, "runbook": runbook},
    )
    for alias in conf.current().alerts.channels:
        try:
            channel = channels.get(alias)
            if channel.takes("critical"):
                channel.send(message)
        except (ChannelError, ImproperlyConfigured) as error_of_channel:
            logger.error("alert_not_told", channel=alias, error=str(error_of_channel)[:200])  # noqa: TRY400
        except Exception as error_of_channel:  # noqa: BLE001 -- its text may hold secrets
            logger.error("alert_not_told", channel=alias, error=type(error_of_channel).__name__)  # noqa: TRY400
