"""The list of alerts: what fires now first, with the buttons for many at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from performance.admin import alert_pages
from performance.admin.base import ReadOnlyAdmin
from performance.admin.labels import SEVERITIES, STATES, labelled
from performance.alerts import messages as words
from performance.alerts import seconds_since
from performance.models import Alert
from performance.models.alerts import State

MINUTE = timedelta(minutes=1)
STALE = 60.0
"""Seconds without an evaluation after which the list says so."""


class StateFilter(admin.SimpleListFilter):
    """Open alerts unless asked otherwise; threats that never fired are a choice of their own."""

    title = "state"
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("firing", "Firing"),
            ("acknowledged", "Acknowledged"),
            ("pending", "Pending"),
            ("resolved", "Resolved"),
            ("fired", "All that fired"),
            ("all", "All"),
        ]

    def choices(self, changelist: Any) -> Any:
        first = {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": "Open",
        }
        return [first, *list(super().choices(changelist))[1:]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value is None:
            return queryset.unresolved()
        if value == "all":
            return queryset
        if value == "resolved":
            return queryset.fired().filter(state=State.RESOLVED)
        return queryset.fired() if value == "fired" else queryset.filter(state=value)


def _rank(field: str, values: Iterable[str]) -> Case:
    """Sorts by the place of the value in `values`."""
    whens = (When(**{field: value}, then=Value(rank)) for rank, value in enumerate(values))
    return Case(*whens, default=Value(9), output_field=IntegerField())


BY_STATE = _rank("state", ["firing", "acknowledged", "pending", "resolved"])
BY_SEVERITY = _rank("severity", ["critical", "warning", "info"])


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Rows are made by the evaluation; staff act on them, each act a permission and an event."""

    list_display = [
        *("what", "shown_state", "shown_severity", "now", "since", "who", "held_back"),
    ]
    list_display_links = None
    list_filter = [StateFilter, "severity", "rule__group", "assignee", "rule"]
    search_fields = ["rule__name", "rule__title", "labels", "events__note"]
    date_hierarchy = "began_at"
    list_select_related = ["rule", "assignee", "acknowledged_by"]
    actions = ["acknowledge_all", "silence_all", "take_all"]
    list_before_template = "performance/alerts/list_before.html"

    class Media:
        css = {"all": ["performance/alerts.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        found: QuerySet[Alert] = super().get_queryset(request)
        return found.annotate(by_state=BY_STATE, by_severity=BY_SEVERITY)

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [BY_STATE, BY_SEVERITY, "-began_at", "-id"]

    @admin.display(description="alert")
    def what(self, alert: Alert) -> str:
        labels = ", ".join(f"{k}={v}" for k, v in sorted(alert.labels.items()))
        return format_html(
            '<a class="alert-link" href="{}">{}</a><span class="alert-labels">{}</span>',
            reverse("admin:performance_alert_change", args=[alert.pk]),
            alert.rule.title,
            labels,
        )

    @labelled("state", STATES, "by_state")
    def shown_state(self, alert: Alert) -> str:
        return str(alert.get_state_display())

    @labelled("severity", SEVERITIES, "by_severity")
    def shown_severity(self, alert: Alert) -> str:
        return str(alert.get_severity_display())

    @admin.display(description="value")
    def now(self, alert: Alert) -> str:
        return words.summary(alert)

    @admin.display(description="since", ordering="began_at")
    def since(self, alert: Alert) -> str:
        moment = alert.fired_at or alert.began_at
        end = alert.resolved_at if alert.state == State.RESOLVED else None
        flaps = f", came back {alert.flaps} times" if alert.flaps else ""
        length = (end or timezone.now()) - moment
        shown = timesince(moment, moment + length, depth=1) if length > MINUTE else "a moment"
        return f"{moment:%m-%d %H:%M}, {shown}{flaps}"

    @admin.display(description="with", ordering="assignee__username")
    def who(self, alert: Alert) -> str:
        person = alert.assignee or alert.acknowledged_by
        return person.get_username() if person else "-"

    @admin.display(description="held back", ordering="suppressed")
    def held_back(self, alert: Alert) -> str:
        return alert.suppressed or "-"

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("performance.acknowledge_alert")

    @admin.action(description="Acknowledge, with a note", permissions=["acknowledge"])
    def acknowledge_all(self, request: HttpRequest, alerts: Any) -> HttpResponse:
        return self._ask(request, alerts, "acknowledge", "Acknowledge")

    @admin.action(description="Silence", permissions=["acknowledge"])
    def silence_all(self, request: HttpRequest, alerts: Any) -> HttpResponse:
        return self._ask(request, alerts, "silence", "Silence")

    @admin.action(description="Take over", permissions=["acknowledge"])
    def take_all(self, request: HttpRequest, alerts: Any) -> HttpResponse:
        return self._ask(request, alerts, "take", "Take over")

    def _ask(self, request: HttpRequest, alerts: Any, action: str, verb: str) -> HttpResponse:
        """Asks for a note; what is sent there goes to alert_pages.act."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb} {alerts.count()} alerts?",
            "alerts": list(alerts.select_related("rule")[:1000]),
            "action": action,
            "verb": verb,
            "silences": alert_pages.SILENCES if action == "silence" else {},
        }
        return render(request, "performance/alerts/bulk.html", context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        age = seconds_since()
        extra = {"evaluated": age, "stale": age is None or age > STALE, **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, extra)
        return response

    def get_urls(self) -> list[URLPattern]:
        """The page of an alert is our own; so is what its buttons do."""

        def page(route: str, view: Any, name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            found: URLPattern = path(route, wrapped, name=f"performance_{name}")
            return found

        own = [
            page("act/", alert_pages.act, "alert_action"),
            page("runbooks/<slug:name>/", alert_pages.runbook, "runbook"),
            page("<str:pk>/change/", alert_pages.detail, "alert_change"),
        ]
        return [*own, *super().get_urls()]
