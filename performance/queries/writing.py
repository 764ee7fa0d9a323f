"""Writes the batches of all processes as rows: one writer at a time, each batch once.

The number of a process's newest batch is written in the same transaction as what the batch holds, so one
that is delivered again, or written by two workers, counts once. Rows are taken in the order of their
keys, so that two writers could not block each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
import redis
import structlog
from django.db import DataError, connection, transaction
from django.utils import timezone

from performance.metrics import store
from performance.models import QueryLogProcess
from performance.queries import rows, scope
from performance.queries.batches import Batch, unpack
from performance.queries.log import STREAM
from performance.queries.totals import Totals

logger = structlog.get_logger(__name__)

AT_ONCE = 100
_LOCK = 0x71756572  # of pg_try_advisory_xact_lock: any number that is ours


class QueryLogUnavailable(Exception):
    """Redis does not answer; what it holds is written later."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many batches were written. `busy`: another process is writing."""

    batches: int = 0
    busy: bool = False


def write(progress: Callable[[int], None] = lambda done: None) -> Written:
    """Writes all batches that wait in the stream. Raises QueryLogUnavailable and DatabaseError."""
    done = 0
    with scope.suspended():
        while entries := _waiting():
            with transaction.atomic():
                if not _alone():
                    return Written(done, busy=True)
                _write_all(list(_fresh(entries)))
            _forget(entries)
            done += len(entries)
            progress(done)
    return Written(done)


Entry = tuple[bytes, dict[bytes, bytes]]


def _waiting() -> list[Entry]:
    try:
        found: list[Entry] = store.client().xrange(STREAM, count=AT_ONCE)  # type: ignore[assignment]
    except (redis.RedisError, OSError) as error:
        raise QueryLogUnavailable(f"Redis does not answer ({type(error).__name__}).") from error
    return found


def _forget(entries: list[Entry]) -> None:
    try:
        store.client().xdel(STREAM, *(key for key, _ in entries))
    except (redis.RedisError, OSError) as error:
        raise QueryLogUnavailable(f"Redis does not answer ({type(error).__name__}).") from error


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _fresh(entries: Iterable[Entry]) -> Iterable[Batch]:
    """Those batches that were not written before, in the order in which they were sent."""
    batches = [batch for _, fields in entries if (batch := _batch(fields)) is not None]
    written = dict(
        QueryLogProcess.objects.filter(id__in={batch.process for batch in batches}).values_list(
            "id", "batch"
        )
    )
    for batch in batches:
        if batch.number > written.get(batch.process, 0):
            written[batch.process] = batch.number
            yield batch


def _batch(fields: dict[bytes, bytes]) -> Batch | None:
    try:
        return unpack(fields[b"batch"])
    except (KeyError, msgspec.MsgspecError):
        logger.warning("query_log_batch_unreadable")
        return None


def _write_all(batches: list[Batch]) -> None:
    """Writes them, less those that the database refuses, which would hold up all that come later."""
    try:
        with transaction.atomic():
            _write(batches)
    except DataError:
        if len(batches) == 1:
            logger.warning("query_log_batch_refused")
            return
        for batch in batches:
            _write_all([batch])


def _write(batches: list[Batch]) -> None:
    if not batches:
        return
    totals = Totals()
    for batch in batches:
        totals.add(batch)
    rows.write_fingerprints(totals)
    rows.write_hours(totals.hours)
    rows.write_callers(totals.callers)
    rows.write_samples(totals.samples)
    now = timezone.now()
    newest = {batch.process: batch.number for batch in batches}
    QueryLogProcess.objects.bulk_create(
        [QueryLogProcess(id=name, batch=newest[name], at=now) for name in sorted(newest)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["batch", "at"],
    )
