"""The query log in the admin: fingerprints by what they cost, samples by what was found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from performance.admin import query_pages
from performance.admin.base import ReadOnlyAdmin
from performance.admin.labels import labelled
from performance.models import CallSite, QueryFingerprint, QuerySample
from performance.queries.history import costs

PERIODS = {"1": "24 hours", "7": "7 days", "30": "30 days"}
FINDINGS = {
    "Slow": "warning",
    "N+1": "danger",
    "Duplicate": "warning",
    "Budget exceeded": "danger",
    "Long transaction": "danger",
    "Wait for a connection": "danger",
}


def since_of(request: HttpRequest) -> Any:
    """The beginning of the period that the list shows."""
    days = request.GET.get("period", "1")
    return timezone.now() - timedelta(days=int(days) if days in PERIODS else 1)


class PeriodFilter(admin.SimpleListFilter):
    """What calls and times are counted over; the queryset is made for it."""

    title = "period"
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(PERIODS.items())[1:]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": PERIODS["1"]}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset


class StatusFilter(admin.SimpleListFilter):
    """Active ones unless asked otherwise."""

    title = "status"
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ignored", "Ignored"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": "Active"}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.filter(status=self.value() or QueryFingerprint.Status.ACTIVE)


class FindingFilter(admin.SimpleListFilter):
    """Fingerprints with a finding of a kind in the period."""

    title = "finding"
    parameter_name = "finding"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = QuerySample.Finding
        shown = (kinds.SLOW, kinds.N_PLUS_ONE, kinds.DUPLICATE, kinds.WRITE_LOOP, kinds.IN_TEMPLATE)
        return [(str(kind.value), str(kind.label)) for kind in (*shown, kinds.AFTER_RESPONSE)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        found = QuerySample.objects.filter(
            fingerprint=OuterRef("pk"), finding=self.value(), at__gte=since_of(request)
        )
        return queryset.filter(Exists(found))


class QueryChangeList(ChangeList):
    """Adds the 95th percentile of the rows on the page, in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = costs((row.pk for row in self.result_list), since_of(request))
        for row in self.result_list:
            row.p95 = found[row.pk].p95 if row.pk in found else None


@admin.register(QueryFingerprint)
class QueryFingerprintAdmin(ReadOnlyAdmin):
    """Most costly first."""

    list_display = [
        *("statement", "shown_seconds", "shown_calls", "shown_mean", "shown_p95"),
        *("shown_max", "kind", "last_seen"),
    ]
    list_display_links = None
    list_filter = [PeriodFilter, StatusFilter, FindingFilter, "kind", "alias"]
    search_fields = ["sql"]
    search_help_text = "Words of the SQL, a table, a view, a task or a file"
    ordering = [Coalesce("seconds", 0.0).desc(), "pk"]
    csv_fields = [*("id", "sql", "kind", "alias", "tables", "status", "first_seen", "last_seen")]

    class Media:
        css = {"all": ["performance/queries.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[QueryFingerprint]:
        since = Q(statistics__hour__gte=since_of(request))
        found: QuerySet[QueryFingerprint] = super().get_queryset(request)
        return found.annotate(
            seconds=Sum("statistics__seconds", filter=since),
            calls=Sum("statistics__calls", filter=since),
            most=Max("statistics__max_seconds", filter=since),
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QueryChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        for word in search_term.split():
            callers = CallSite.objects.filter(
                Q(scope_name__icontains=word) | Q(file__icontains=word), fingerprint=OuterRef("pk")
            )
            queryset = queryset.alias(table_names=Cast("tables", TextField())).filter(
                Q(sql__icontains=word) | Q(table_names__icontains=word) | Exists(callers)
            )
        return queryset, False

    @admin.display(description="statement")
    def statement(self, query: QueryFingerprint) -> str:
        return format_html(
            '<a class="query-link" href="{}"><code>{}</code></a>',
            reverse("admin:performance_queryfingerprint_change", args=[query.pk]),
            str(query),
        )

    @admin.display(description="total (s)", ordering="seconds")
    def shown_seconds(self, query: Any) -> str:
        return "-" if query.seconds is None else f"{query.seconds:.3f}"

    @admin.display(description="calls", ordering="calls")
    def shown_calls(self, query: Any) -> str:
        return "-" if query.calls is None else f"{query.calls:,}"

    @admin.display(description="mean (ms)")
    def shown_mean(self, query: Any) -> str:
        return f"{1000 * query.seconds / query.calls:.2f}" if query.calls else "-"

    @admin.display(description="p95 (ms)")
    def shown_p95(self, query: Any) -> str:
        return "-" if query.p95 is None else f"{1000 * query.p95:.2f}"

    @admin.display(description="max (ms)", ordering="most")
    def shown_max(self, query: Any) -> str:
        return "-" if query.most is None else f"{1000 * query.most:.2f}"

    def get_urls(self) -> list[URLPattern]:
        """The page of a fingerprint is our own."""

        def page(route: str, view: Any, name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            found: URLPattern = path(route, wrapped, name=f"performance_queryfingerprint_{name}")
            return found

        own = [
            page("<str:pk>/status/", query_pages.set_status, "status"),
            page("<str:pk>/change/", query_pages.detail, "change"),
        ]
        return [*own, *super().get_urls()]


@admin.register(QuerySample)
class QuerySampleAdmin(ReadOnlyAdmin):
    """Newest first; those that were only sampled are a choice of their own."""

    list_display = [
        *("at", "shown_finding", "where", "line_of", "milliseconds", "repeats", "times", "remedy"),
        "statement",
    ]
    list_filter = ["finding", "scope_kind", "template"]
    search_fields = [
        "scope_name",
        "file",
        "function",
        "remedy",
        "correlation_id",
        "fingerprint__sql",
    ]
    date_hierarchy = "at"
    list_select_related = ["fingerprint"]

    class Media:
        css = {"all": ["performance/queries.css"]}

    @labelled("finding", FINDINGS, "finding")
    def shown_finding(self, sample: QuerySample) -> str:
        return str(sample.get_finding_display())

    @admin.display(description="where", ordering="scope_name")
    def where(self, sample: QuerySample) -> str:
        return f"{sample.get_scope_kind_display()} {sample.scope_name}"

    @admin.display(description="line", ordering="file")
    def line_of(self, sample: QuerySample) -> str:
        return f"{sample.file}:{sample.line}" if sample.file else "-"

    @admin.display(description="ms", ordering="seconds")
    def milliseconds(self, sample: QuerySample) -> str:
        return f"{1000 * sample.seconds:.2f}"

    @admin.display(description="statement")
    def statement(self, sample: QuerySample) -> str:
        if sample.fingerprint is None:
            return "-"
        return format_html(
            '<a class="query-link" href="{}"><code>{}</code></a>',
            reverse("admin:performance_queryfingerprint_change", args=[sample.fingerprint_id]),
            str(sample.fingerprint),
        )
