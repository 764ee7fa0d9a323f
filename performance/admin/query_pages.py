"""The page of one fingerprint: what it costs, where it comes from, what was found about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from performance.admin.plan_tree import plan_rows
from performance.admin.query_trend import draw
from performance.models import (
    DatabaseFinding,
    IndexSuggestion,
    QueryFingerprint,
    QueryPlan,
    QuerySample,
)
from performance.queries.history import Cost, hours

SPAN = timedelta(days=7)
MOST_CALLERS, MOST_SAMPLES = 50, 50


@permission_required("performance.view_queryfingerprint", raise_exception=True)
@require_safe
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    """The page of a fingerprint."""
    query = _query(pk)
    now = timezone.now()
    trend = hours(query.pk, now - SPAN, now)
    total = Cost()
    for _, cost in trend:
        total.calls += cost.calls
        total.seconds += cost.seconds
    context = {
        **admin.site.each_context(request),
        "title": f"Query {query.pk}",
        "query": query,
        "trend": draw(trend),
        "hours": [(begins, cost) for begins, cost in reversed(trend) if cost.calls][:48],
        "total": total,
        "callers": list(query.call_sites.order_by("-seconds")[:MOST_CALLERS]),
        "samples": list(_samples(query)[:MOST_SAMPLES]),
        **_analysed(request, query),
        "may_ignore": request.user.has_perm("performance.ignore_query"),
    }
    return render(request, "performance/queries/query.html", context)


def _analysed(request: HttpRequest, query: QueryFingerprint) -> dict[str, Any]:
    """What the last analysis that was kept says of it, as far as the reader may see that."""
    number, may = str(query.pk), request.user.has_perm
    kept = QueryPlan.objects.filter(fingerprint=query).first()
    found = DatabaseFinding.objects.filter(statement=number)
    gaining = IndexSuggestion.objects.filter(gains__contains=[{"statement": number}])
    return {
        "plan": kept,
        "nodes": plan_rows(kept.plan) if kept else [],
        "found": list(found) if may("performance.view_databasefinding") else [],
        "suggestions": list(gaining) if may("performance.view_indexsuggestion") else [],
    }


def _samples(query: QueryFingerprint) -> Any:
    found = query.samples.exclude(finding=QuerySample.Finding.SAMPLED)
    return found.order_by("-at", "-id")


@permission_required("performance.ignore_query", raise_exception=True)
@require_POST
def set_status(request: HttpRequest, pk: str) -> HttpResponse:
    """Ignores a query, or minds it again."""
    query = _query(pk)
    status = request.POST.get("status")
    if status not in QueryFingerprint.Status.values:
        raise Http404
    QueryFingerprint.objects.filter(pk=query.pk).update(status=status)
    messages.success(request, "Ignored." if status == "ignored" else "It counts again.")
    return redirect("admin:performance_queryfingerprint_change", query.pk)


def _query(pk: str) -> QueryFingerprint:
    if not pk.lstrip("-").isdigit() or not pk.isascii() or len(pk) > 20:
        raise Http404
    if not -(2**63) <= int(pk) < 2**63:
        raise Http404
    return get_object_or_404(QueryFingerprint, pk=int(pk))
