"""Buckets as rows: written in one statement, read in one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from performance.metrics.definitions import Kind
from performance.metrics.series import Series
from performance.metrics.sketch import merge
from performance.metrics.summary import Summary
from performance.models import MetricBucket, MetricSeries

MINUTE = MetricBucket.Resolution.MINUTE.value
HOUR = MetricBucket.Resolution.HOUR.value

_sketches = msgspec.msgpack.Decoder(dict[int, int])


@dataclass(frozen=True, slots=True)
class Bucket:
    """One row: `series` is its number."""

    series: int
    start: datetime
    summary: Summary


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows to read: those of one series and resolution that start in [since, until)."""

    series: int
    resolution: int
    since: datetime
    until: datetime


# In the order of the key, so that two writers take the rows' locks in the same order. A row never
# shrinks: what was computed from fewer slots than before (Redis lost some) is not written.
_WRITE = """
    INSERT INTO {table} AS old (series_id, resolution, start, count, sum, min, max, histogram)
    SELECT series, %s, start, count, sum, min, max, histogram
      FROM unnest(%s::bigint[], %s::timestamptz[], %s::float8[], %s::float8[], %s::float8[],
                  %s::float8[], %s::bytea[])
           AS new (series, start, count, sum, min, max, histogram)
     ORDER BY series, start
        ON CONFLICT (series_id, resolution, start) DO UPDATE
       SET count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max,
           histogram = excluded.histogram
     WHERE excluded.count > old.count
    RETURNING series_id, start
"""

# OFFSET keeps the planner from a join that reads the whole table: it cannot know how short the spans are.
_READ = """
    SELECT number, series_id, start, count, sum, min, max, histogram
      FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::timestamptz[], %s::timestamptz[])
           AS wanted (number, series, grain, since, until)
     CROSS JOIN LATERAL (
           SELECT * FROM {table}
            WHERE series_id = series AND resolution = grain AND start >= since AND start < until
           OFFSET 0) AS rows
"""


@dataclass(frozen=True, slots=True)
class WantedSteps:
    """Rows to read merged: `target` is a number of the caller's, steps count from `origin` on."""

    target: int
    rows: Wanted
    origin: datetime
    step: float


# Merged by the database as far as it can: what is left for us are the histograms.
_READ_STEPS = """
    SELECT target, floor(extract(epoch FROM start - origin) / step)::int AS number,
           sum(count), sum(sum), min(min), max(max),
           array_agg(histogram) FILTER (WHERE histogram <> '')
      FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::timestamptz[],
                  %s::timestamptz[], %s::timestamptz[], %s::float8[])
           AS wanted (target, series, grain, since, until, origin, step)
     CROSS JOIN LATERAL (
           SELECT * FROM {table}
            WHERE series_id = series AND resolution = grain AND start >= since AND start < until
           OFFSET 0) AS rows
     GROUP BY target, number
"""


def _sql(template: str) -> str:
    return template.format(table=connection.ops.quote_name(MetricBucket._meta.db_table))  # noqa: SLF001


def register(found: Iterable[tuple[Series, Kind]]) -> None:
    """Sees to it that the series have rows. One statement."""
    MetricSeries.objects.bulk_create(
        (
            MetricSeries(
                id=series.id, name=series.name, kind=kind.value, labels=dict(series.labels)
            )
            for series, kind in sorted(found, key=lambda pair: pair[0].id)
        ),
        ignore_conflicts=True,
    )


def write(resolution: int, buckets: Iterable[Bucket]) -> list[tuple[int, datetime]]:
    """Upserts, and answers which rows (series, start) are new or have grown."""
    columns: list[list[Any]] = [[] for _ in range(7)]
    for bucket in buckets:
        for column, value in zip(columns, _values(bucket), strict=True):
            column.append(value)
    if not columns[0]:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_sql(_WRITE), [resolution, *columns])
        return list(cursor.fetchall())


def _values(bucket: Bucket) -> tuple[Any, ...]:
    summary = bucket.summary
    has_extremes = math.isfinite(summary.min)
    return (
        bucket.series,
        bucket.start,
        summary.count,
        summary.sum,
        summary.min if has_extremes else None,
        summary.max if has_extremes else None,
        msgspec.msgpack.encode(summary.sketch) if summary.sketch else b"",
    )


def read(wants: Sequence[Wanted]) -> list[tuple[int, Bucket]]:
    """The rows in no order, each with the index of what wanted it. One statement."""
    if not wants:
        return []
    columns: list[Any] = [
        list(range(len(wants))),
        [want.series for want in wants],
        [want.resolution for want in wants],
        [want.since for want in wants],
        [want.until for want in wants],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_sql(_READ), columns)
        return [(row[0], _bucket(row[1:])) for row in cursor]


def _bucket(row: tuple[Any, ...]) -> Bucket:
    series, start, count, total, least, most, histogram = row
    return Bucket(series, start, _summary(count, total, least, most, [histogram]))


def summary_of(row: MetricBucket) -> Summary:
    """What a row says."""
    return _summary(row.count, row.sum, row.min, row.max, [bytes(row.histogram)])


def _summary(
    count: float, total: float, least: float | None, most: float | None, histograms: Iterable[bytes]
) -> Summary:
    summary = Summary()
    summary.count, summary.sum = count, total
    if least is not None and most is not None:
        summary.min, summary.max = least, most
    for histogram in filter(None, histograms):
        merge(summary.sketch, _sketches.decode(histogram))
    return summary


def read_steps(wants: Sequence[WantedSteps]) -> Iterator[tuple[int, int, Summary]]:
    """Target, number of the step, and what all its rows together say, in no order. One statement."""
    if not wants:
        return
    columns: list[Any] = [
        [want.target for want in wants],
        [want.rows.series for want in wants],
        [want.rows.resolution for want in wants],
        [want.rows.since for want in wants],
        [want.rows.until for want in wants],
        [want.origin for want in wants],
        [want.step for want in wants],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_sql(_READ_STEPS), columns)
        for target, number, count, total, least, most, histograms in cursor.fetchall():
            yield target, number, _summary(count, total, least, most, histograms or ())
