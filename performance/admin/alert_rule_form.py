"""A rule as people type it: labels as status=5xx, names as a list with commas."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from performance.admin.theme import Checkboxes, TextInput
from performance.alerts import channels
from performance.alerts.suppression import circle, inhibitors_of
from performance.metrics.definitions import BY_NAME
from performance.models import AlertRule

LABELS_HELP = "For example status=5xx, method=GET|POST. Empty: all series."


class LabelsField(forms.CharField):
    """`{"status": "5xx", "method": ["GET", "POST"]}` as `status=5xx, method=GET|POST`."""

    widget = TextInput

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        pairs = ((k, "|".join(v) if isinstance(v, list) else v) for k, v in sorted(value.items()))
        return ", ".join(f"{name}={text}" for name, text in pairs)

    def to_python(self, value: Any) -> Any:
        found: dict[str, str | list[str]] = {}
        for part in filter(None, (part.strip() for part in (value or "").split(","))):
            name, equals, text = part.partition("=")
            if not equals or not name.strip() or not text.strip():
                raise ValidationError(f"{part!r} is no label: it must look like status=5xx.")
            values = [one.strip() for one in text.split("|")]
            found[name.strip()] = values if len(values) > 1 else values[0]
        return found


class NamesField(forms.CharField):
    """`["view", "method"]` as `view, method`."""

    widget = TextInput

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [name.strip() for name in (value or "").split(",") if name.strip()]


class AlertRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Says of each wrong field what would be right; never lets a rule hold back itself."""

    labels = LabelsField(required=False, help_text=LABELS_HELP)
    divisor_labels = LabelsField(required=False, help_text=LABELS_HELP)
    group_by = NamesField(
        required=False, help_text="An alert for each value of these: view, alias."
    )
    channels = forms.MultipleChoiceField(
        required=False,
        widget=Checkboxes,
        help_text="None: all that take this severity. They are named in settings.",
    )

    class Meta:
        model = AlertRule
        fields = [
            *("title", "name", "enabled", "metric", "aggregation", "labels", "group_by", "window"),
            *("min_samples", "divisor", "divisor_aggregation", "divisor_labels", "comparison"),
            *("threshold", "hold", "resolve_threshold", "keep_firing", "no_data", "severity"),
            *("group", "channels", "inhibited_by", "runbook"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "channels" in self.fields:
            known = dict.fromkeys([*channels.aliases(), *(self.instance.channels or [])])
            field: Any = self.fields["channels"]
            field.choices = [(name, name) for name in known]
        if "metric" in self.fields:
            self.fields["metric"].help_text = (
                "One of: " + ", ".join(sorted(BY_NAME)) + "; or your own."
            )

    def clean_inhibited_by(self) -> Any:
        """Refuses circles: rules that hold back each other would tell nobody."""
        chosen = self.cleaned_data["inhibited_by"]
        pk = self.instance.pk
        keys = [rule.pk for rule in chosen]
        if pk and circle(pk, keys, inhibitors_of(AlertRule.objects.all())):
            names = ", ".join(rule.name for rule in chosen)
            raise ValidationError(
                f"{names}: one of these is held back by {self.instance.name}, at once or in turn; "
                "choose rules that are not."
            )
        return chosen
