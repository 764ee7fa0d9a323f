"""Statements of this app's own query log: calls, percentiles, callers, trend and repetitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from django.db.models import Max
from django.utils import timezone

from performance.metrics import sketch
from performance.models import CallSite, QueryFingerprint, QuerySample, QueryStatistics
from performance.queries.analysis.database import Database
from performance.queries.analysis.statements import Statement
from performance.queries.parameters import parameters_of

_decode = msgspec.msgpack.Decoder(dict[int, int]).decode
CALLERS = 3
SAMPLES = 4  # runs whose values a statement is planned with
REPEATING = (QuerySample.Finding.N_PLUS_ONE, QuerySample.Finding.WRITE_LOOP)


def from_log(alias: str, since: timedelta, *, min_calls: int, most: int) -> list[Statement]:
    """What the log has of the database `alias` over the last `since`, the most costly first."""
    began = timezone.now() - since
    totals = _totals(alias, began, timezone.now())
    chosen = sorted(totals.values(), key=lambda one: one["seconds"], reverse=True)
    chosen = [one for one in chosen if one["calls"] >= min_calls][:most]
    ids = [one["fingerprint_id"] for one in chosen]
    before = _totals(alias, began - since, began)
    callers, repeats = _callers(ids), _repeats(ids, began)
    texts = dict(QueryFingerprint.objects.filter(pk__in=ids).values_list("pk", "sql"))
    return [
        _statement(one, texts[one["fingerprint_id"]], before, callers, repeats)
        for one in chosen
        if one["fingerprint_id"] in texts
    ]


def _totals(alias: str, since: datetime, until: datetime) -> dict[int, dict[str, Any]]:
    """Hours added up by fingerprint, with their sketches merged."""
    rows = QueryStatistics.objects.filter(
        hour__gte=since.replace(minute=0, second=0, microsecond=0), hour__lt=until,
        fingerprint__alias=alias, fingerprint__status=QueryFingerprint.Status.ACTIVE,
    ).exclude(fingerprint_id=0)  # fmt: skip
    found: dict[int, dict[str, Any]] = {}
    for row in rows.values("fingerprint_id", "calls", "seconds", "max_seconds", "rows", "sketch"):
        into = found.setdefault(row["fingerprint_id"], {**row, **EMPTY, "sketch": {}})
        for name in ("calls", "seconds", "rows"):
            into[name] += row[name]
        into["max_seconds"] = max(into["max_seconds"], row["max_seconds"])
        if row["sketch"]:
            sketch.merge(into["sketch"], _decode(row["sketch"]))
    return found


EMPTY = {"calls": 0, "seconds": 0.0, "max_seconds": 0.0, "rows": 0}


def _callers(ids: Iterable[int]) -> dict[int, list[str]]:
    """The sites that spent most in each fingerprint."""
    found: dict[int, list[str]] = defaultdict(list)
    for site in CallSite.objects.filter(fingerprint_id__in=list(ids)).order_by("-seconds"):
        if len(found[site.fingerprint_id]) < CALLERS:
            place = f" ({site.file}:{site.line})" if site.file else ""
            found[site.fingerprint_id].append(f"{site.scope_name}{place}")
    return found


def _repeats(ids: Iterable[int], since: datetime) -> dict[int, int]:
    """How often each fingerprint ran in one scope at most, where that was a repetition."""
    samples = QuerySample.objects.filter(
        fingerprint_id__in=list(ids), finding__in=REPEATING, at__gte=since
    )
    rows = samples.order_by().values("fingerprint_id").annotate(most=Max("repeats"))
    return {row["fingerprint_id"]: row["most"] for row in rows}


def _statement(
    one: dict[str, Any],
    sql: str,
    before: dict[int, dict[str, Any]],
    callers: dict[int, list[str]],
    repeats: dict[int, int],
) -> Statement:
    number = one["fingerprint_id"]
    earlier = before.get(number)
    return Statement(
        id=str(number),
        sql=sql,
        calls=one["calls"],
        seconds=one["seconds"],
        slowest=one["max_seconds"],
        p95=sketch.quantile(one["sketch"], 0.95),
        rows=one["rows"],
        callers=tuple(callers.get(number, ())),
        before=earlier["seconds"] / earlier["calls"] if earlier and earlier["calls"] else None,
        repeats=repeats.get(number, 0),
        source="log",
    )


def with_samples(statements: list[Statement], database: Database) -> None:
    """Gives statements the values that this process remembers of them; nothing of it is kept."""
    cursor = psycopg.ClientCursor(database.connection)
    for one in statements:
        found = parameters_of(int(one.id))
        one.samples = tuple(filter(None, (_filled(cursor, run.sql, run.params) for run in found)))[
            :SAMPLES
        ]


def _filled(cursor: psycopg.ClientCursor[Any], sql: str, params: Any) -> str:
    try:
        return cursor.mogrify(sql, params) if params else sql
    except (psycopg.Error, ValueError, TypeError):
        return ""


def merged(counted: list[Statement], logged: list[Statement]) -> list[Statement]:
    """One statement for each fingerprint: costs as the server counted them, the rest from the log."""
    known = {one.id: one for one in logged}
    found: dict[str, Statement] = {}
    for one in counted:
        same = known.get(one.id)
        if same is not None:
            one.callers, one.before, one.repeats, one.p95 = (
                same.callers,
                same.before,
                same.repeats,
                same.p95,
            )
            one.source = "both"
        if one.id in found:
            _add(found[one.id], one)
        else:
            found[one.id] = one
    for one in logged:
        found.setdefault(one.id, one)
    return sorted(found.values(), key=lambda one: one.seconds, reverse=True)


def _add(into: Statement, other: Statement) -> None:
    """Adds the counts of the same statement under another number of the server's."""
    for name in ("calls", "seconds", "rows", "hit", "read", "spilled"):
        setattr(into, name, getattr(into, name) + getattr(other, name))
