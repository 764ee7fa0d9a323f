"""Alert rules in the admin, with a preview of what a rule would have done."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from performance.admin.alert_rule_form import AlertRuleForm
from performance.admin.export import CsvExport
from performance.admin.labels import SEVERITIES, labelled
from performance.admin.theme import ModelAdmin
from performance.alerts import drawing, shipped, writing
from performance.alerts import messages as words
from performance.alerts.preview import preview
from performance.metrics import MetricsUnavailable
from performance.models import AlertRule


@admin.register(AlertRule)
class AlertRuleAdmin(CsvExport, ModelAdmin):  # type: ignore[misc]
    """Who may change rules is a permission of its own; the preview saves nothing."""

    form = AlertRuleForm
    list_display = ["title", "shown_severity", "condition", "group", "open_alerts", "enabled"]
    list_filter = ["severity", "group", "enabled"]
    search_fields = ["name", "title", "metric", "divisor"]
    list_per_page = 100
    actions = ["switch_on", "switch_off", "reset"]
    filter_horizontal = ["inhibited_by"]
    prepopulated_fields = {"name": ["title"]}
    change_form_after_template = "performance/alerts/preview_button.html"
    fieldsets = [
        (None, {"fields": ["title", "name", "enabled"]}),
        (
            "What is measured",
            {
                "fields": [
                    *("metric", "aggregation", "labels", "group_by", "window", "min_samples"),
                    *("divisor", "divisor_aggregation", "divisor_labels"),
                ]
            },
        ),
        (
            "When it fires",
            {
                "fields": [
                    *("comparison", "threshold", "hold", "resolve_threshold", "keep_firing"),
                    "no_data",
                ]
            },
        ),
        (
            "Who is told",
            {"fields": ["severity", "group", "channels", "inhibited_by", "runbook"]},
        ),
    ]

    class Media:
        css = {"all": ["performance/alerts.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        firing = Q(alerts__state__in=("firing", "acknowledged"))
        found: QuerySet[AlertRule] = super().get_queryset(request)
        return found.annotate(firing=Count("alerts", filter=firing))

    @labelled("severity", SEVERITIES, "severity")
    def shown_severity(self, rule: AlertRule) -> str:
        return str(rule.get_severity_display())

    @admin.display(description="fires when")
    def condition(self, rule: AlertRule) -> str:
        return words.condition(rule)

    @admin.display(description="firing", ordering="firing")
    def open_alerts(self, rule: Any) -> int:
        return int(rule.firing)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, rules: QuerySet[AlertRule]) -> None:
        self._switch(request, rules, to=True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, rules: QuerySet[AlertRule]) -> None:
        self._switch(request, rules, to=False)

    def _switch(self, request: HttpRequest, rules: QuerySet[AlertRule], *, to: bool) -> None:
        changed = list(rules.exclude(enabled=to))
        AlertRule.objects.filter(pk__in=[rule.pk for rule in changed]).update(enabled=to)
        said = "Switched on." if to else "Switched off."
        for rule in changed:
            self.log_change(request, rule, said)
        self.message_user(request, f"{len(changed)} rules were changed.")

    @admin.action(
        description="Give shipped rules their shipped values again", permissions=["change"]
    )
    def reset(self, request: HttpRequest, rules: QuerySet[AlertRule]) -> None:
        changed = [rule for rule in rules if shipped.reset(rule)]
        for rule in changed:
            self.log_change(request, rule, "Reset to the shipped values.")
        self.message_user(request, f"{len(changed)} rules were reset.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A shipped rule would come back with the next migrate: it is switched off instead."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and not (obj is not None and obj.shipped)

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        named: URLPattern = path("preview/", view, name="performance_alertrule_preview")
        return [named, *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Draws the rule that was typed over the last day. Nothing is saved."""
        if not (self.has_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        earlier = AlertRule.objects.filter(name=request.POST.get("name", "")).first()
        form = AlertRuleForm(request.POST, instance=earlier)
        context = {**self.admin_site.each_context(request), "title": "Preview", "form": form}
        if form.is_valid():
            context |= self._previewed(request, form.instance)
        return render(request, "performance/alerts/preview.html", context)

    def _previewed(self, request: HttpRequest, rule: AlertRule) -> dict[str, Any]:
        try:
            found = preview(rule, timezone.now())
        except (MetricsUnavailable, ValueError) as error:
            messages.error(request, f"It cannot be drawn: {error}")
            return {}
        return {
            "rule": rule,
            "condition": words.condition(rule),
            "preview": found,
            "pictures": drawing.draw(rule, found),
            "runbook": writing.path_of(rule.runbook),
        }
