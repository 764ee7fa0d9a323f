"""Keeping what an analysis found, and seeing whether what it suggested was done and helped."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from performance.models import (
    DatabaseFinding,
    IndexSuggestion,
    QueryFingerprint,
    QueryPlan,
    QueryStatistics,
)
from performance.queries.analysis.advisor import Suggestion
from performance.queries.analysis.analysis import Report
from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database, opened
from performance.queries.analysis.existing import definition
from performance.queries.analysis.findings import Finding
from performance.queries.analysis.report.data import suggestion_data

Status = IndexSuggestion.Status
COPIED = (
    *("table", "confidence", "cost_before", "cost_after", "size", "write_entries", "blocks_hot"),
    *("supersedes", "gains", "plan_before", "plan_after", "sql", "django", "migration"),
)
JUDGED_AFTER = timedelta(hours=24)
FEW_CALLS = 20  # after the index was made: below them nothing is said
FASTER = 0.8  # of the time before: it helped
KEEP = timedelta(days=30)


@transaction.atomic
def keep(report: Report, alias: str) -> None:
    """Stores the report's suggestions, findings and plans; decisions on earlier suggestions stay."""
    now = timezone.now()
    for suggestion in report.suggestions:
        _keep_suggestion(suggestion, alias, now)
    _keep_findings(report.findings, alias, now)
    _keep_plans(report, now)


def _keep_suggestion(suggestion: Suggestion, alias: str, now: datetime) -> None:
    data = suggestion_data(suggestion)
    values = {name: data[name] for name in COPIED} | {"last_seen": now}
    kept, made = IndexSuggestion.objects.get_or_create(
        alias=alias, definition=suggestion.index.definition, defaults=values
    )
    if made:
        return
    for name, value in values.items():
        setattr(kept, name, value)
    if kept.status in (Status.APPLIED, Status.HELPED, Status.DID_NOT_HELP):
        # It is wanted again, so it is no longer there.
        kept.status, kept.applied_at, kept.mean_before, kept.mean_after = (
            Status.PROPOSED,
            None,
            None,
            None,
        )
    kept.save()


def _keep_findings(findings: list[Finding], alias: str, now: datetime) -> None:
    rows = {
        (one.kind, one.about[:300], one.statement): DatabaseFinding(
            alias=alias, kind=one.kind, severity=str(one.severity), about=one.about[:300], said=one.said,
            remedy=one.remedy, sql=one.sql, statement=one.statement, last_seen=now,
        )
        for one in reversed(findings)
    }  # fmt: skip
    DatabaseFinding.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["alias", "kind", "about", "statement"],
        update_fields=["severity", "said", "remedy", "sql", "last_seen"],
    )
    # What is about a session or no longer so goes; a finding that stays keeps its first day.
    DatabaseFinding.objects.filter(alias=alias, last_seen__lt=now).delete()
    IndexSuggestion.objects.filter(
        alias=alias, last_seen__lt=now - KEEP, status=Status.PROPOSED
    ).delete()


def _keep_plans(report: Report, now: datetime) -> None:
    """The plans of statements that the log knows, and what pg_stat_statements calls these."""
    plans = {int(name): plan for name, plan in report.plans.items() if _is_number(name)}
    numbers = {int(one.id): one.queryid for one in report.statements if one.queryid}
    known = {row.pk: row for row in QueryFingerprint.objects.filter(pk__in={*plans, *numbers})}
    QueryPlan.objects.bulk_create(
        [
            QueryPlan(fingerprint=known[pk], plan=plans[pk], made_at=now)
            for pk in plans
            if pk in known
        ],
        update_conflicts=True,
        unique_fields=["fingerprint"],
        update_fields=["plan", "made_at"],
    )
    named = [known[pk] for pk in numbers if pk in known]
    for row in named:
        row.pg_queryid = int(numbers[row.pk])
    QueryFingerprint.objects.bulk_update(named, ["pg_queryid"])


def look_for_applied(alias: str) -> int:
    """Marks the suggestions whose index is there by now; answers how many it newly found."""
    waiting = list(IndexSuggestion.objects.filter(alias=alias, applied_at=None))
    if not waiting:
        return 0
    with opened(alias) as database:
        there = _definitions(database)
    found = [one for one in waiting if one.definition in there]
    now = timezone.now()
    for one in found:
        one.status, one.applied_at = Status.APPLIED, now
        one.mean_before = _mean(one, now - JUDGED_AFTER, now)
        one.save(update_fields=["status", "applied_at", "mean_before"])
    return len(found)


def _definitions(database: Database) -> set[str]:
    catalog = Catalog(database)
    return {
        definition(index, catalog.table_by_oid[index.table_oid]).definition
        for index in catalog.indexes
        if index.valid
    }


def judge_applied(alias: str) -> int:
    """Says of indexes that are a day old whether they helped; answers of how many."""
    judged = 0
    old = timezone.now() - JUDGED_AFTER
    for one in IndexSuggestion.objects.filter(
        alias=alias, status=Status.APPLIED, applied_at__lte=old
    ):
        if one.applied_at is None:
            continue
        # The hour in which it was made belongs to neither side.
        after = _mean(one, _next_hour(one.applied_at), timezone.now())
        if after is None or one.mean_before is None:
            continue
        one.mean_after = after
        one.status = Status.HELPED if after <= one.mean_before * FASTER else Status.DID_NOT_HELP
        one.save(update_fields=["mean_after", "status"])
        judged += 1
    return judged


def _next_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _mean(suggestion: IndexSuggestion, since: datetime, until: datetime) -> float | None:
    """Measured seconds of a call of the statements that should gain, None where too few were seen."""
    ids = [int(gain["statement"]) for gain in suggestion.gains if _is_number(gain["statement"])]
    rows: dict[str, Any] = QueryStatistics.objects.filter(
        fingerprint_id__in=ids, hour__gte=since, hour__lt=until
    ).aggregate(calls=Sum("calls"), seconds=Sum("seconds"))
    if not rows["calls"] or rows["calls"] < FEW_CALLS:
        return None
    return float(rows["seconds"] / rows["calls"])


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdigit()
