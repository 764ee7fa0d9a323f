"""`{{ value|figure:"seconds" }}`: a figure with its unit."""

from __future__ import annotations

from typing import Any

from django import template

from performance.figures import shown

register = template.Library()


@register.filter
def figure(value: Any, unit: Any) -> str:
    """`value` (a number or None) of `unit`: seconds, bytes, ratio, rate or count."""
    return shown(value, unit)
