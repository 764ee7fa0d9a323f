"""The statements that write the query log's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection, models
from django.utils import timezone

from performance import conf
from performance.models import CallSite, QueryFingerprint, QuerySample, QueryStatistics
from performance.queries.batches import Caller, Sample
from performance.queries.merging import SampleKey
from performance.queries.totals import CallerKey, HourKey, HourTotal, Totals

_sketches = msgspec.msgpack.Decoder(dict[int, int])

_HOURS = """
    INSERT INTO {table} AS old (fingerprint_id, hour, calls, seconds, max_seconds, rows, errors, sketch)
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::float8[], %s::float8[],
                         %s::bigint[], %s::bigint[], %s::bytea[])
        ON CONFLICT (fingerprint_id, hour) DO UPDATE
       SET calls = old.calls + excluded.calls, seconds = old.seconds + excluded.seconds,
           max_seconds = greatest(old.max_seconds, excluded.max_seconds),
           rows = old.rows + excluded.rows, errors = old.errors + excluded.errors,
           sketch = excluded.sketch
"""

_CALLERS = """
    INSERT INTO {table} AS old (fingerprint_id, scope_kind, scope_name, file, function, line, template,
                                calls, seconds, first_seen, last_seen)
    SELECT *, now(), now()
      FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[], %s::bool[],
                  %s::bigint[], %s::float8[])
        ON CONFLICT (fingerprint_id, scope_kind, scope_name, file, function) DO UPDATE
       SET calls = old.calls + excluded.calls, seconds = old.seconds + excluded.seconds,
           line = excluded.line, template = excluded.template, last_seen = excluded.last_seen
"""


def write_fingerprints(totals: Totals) -> None:
    """Sees to it that the fingerprints have rows; what is beyond the limit becomes "other"."""
    known = set(
        QueryFingerprint.objects.filter(id__in=totals.referenced()).values_list("id", flat=True)
    )
    fresh = sorted(totals.texts.keys() - known)
    room = conf.current().queries.max_fingerprints
    if fresh:
        room = max(0, room - QueryFingerprint.objects.count())
    totals.admit(known | set(fresh[:room]))
    now = timezone.now()
    QueryFingerprint.objects.bulk_create(
        [
            QueryFingerprint(
                id=key,
                sql=text.sql,
                kind=text.kind,
                tables=list(text.tables),
                alias=text.alias[:64],
                first_seen=now,
                last_seen=now,
            )
            for key, text in sorted(totals.texts.items())
        ],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["last_seen"],
    )


def write_hours(hours: Mapping[HourKey, HourTotal]) -> None:
    """Adds to the statistics. The sketches that are there are read and added to first."""
    sketches = _sketches_of(hours)
    _execute(
        QueryStatistics,
        _HOURS,
        [_hour_row(key, hours[key], sketches.get(key, {})) for key in sorted(hours)],
    )


def _sketches_of(hours: Iterable[HourKey]) -> dict[HourKey, dict[int, int]]:
    wanted = set(hours)
    found = QueryStatistics.objects.filter(
        fingerprint_id__in={fingerprint for fingerprint, _ in wanted},
        hour__in={datetime.fromtimestamp(hour, UTC) for _, hour in wanted},
    ).values_list("fingerprint_id", "hour", "sketch")
    return {
        (fingerprint, int(hour.timestamp())): _sketches.decode(sketch)
        for fingerprint, hour, sketch in found
        if sketch
    }


def _hour_row(key: HourKey, total: HourTotal, sketch: dict[int, int]) -> tuple[Any, ...]:
    summary = total.summary
    for bucket, count in summary.sketch.items():
        sketch[bucket] = sketch.get(bucket, 0) + count
    packed = msgspec.msgpack.encode(sketch)
    begins = datetime.fromtimestamp(key[1], UTC)
    figures = (int(summary.count), summary.sum, summary.max, total.rows, total.errors, packed)
    return (key[0], begins, *figures)


def write_callers(callers: Mapping[CallerKey, Caller]) -> None:
    """Adds to the call sites."""
    rows = [(*key, callers[key]) for key in sorted(callers)]
    _execute(
        CallSite,
        _CALLERS,
        [(*key, one.line, one.template, one.calls, one.seconds) for *key, one in rows],
    )


def write_samples(samples: Mapping[SampleKey, Sample]) -> None:
    QuerySample.objects.bulk_create(
        QuerySample(
            fingerprint_id=one.fingerprint,
            finding=one.finding,
            scope_kind=one.scope_kind,
            scope_name=one.scope_name,
            file=one.file,
            function=one.function,
            line=one.line,
            template=one.template,
            seconds=one.seconds,
            repeats=one.repeats,
            times=one.times,
            remedy=one.remedy,
            correlation_id=one.correlation_id,
            at=datetime.fromtimestamp(one.at, UTC),
        )
        for one in samples.values()
    )


def _execute(model: type[models.Model], template: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(template.format(table=table), columns)
