"""`{{ value|figure:"seconds" }}`: a figure with its unit. And two of django.contrib.humanize's filters,
which then need not be among the INSTALLED_APPS."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma, naturaltime

from performance.figures import shown

register = template.Library()
register.filter("intcomma", intcomma, is_safe=True)
register.filter("naturaltime", naturaltime)


@register.filter
def figure(value: Any, unit: Any) -> str:
    """`value` (a number or None) of `unit`: seconds, bytes, ratio, rate or count."""
    return shown(value, unit)
