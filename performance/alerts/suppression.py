"""Who is not told: silences, maintenance windows, and alerts that follow from others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from performance.models import Alert, AlertRule, Silence

LONGEST = 200


def reason(
    alert: Alert,
    now: datetime,
    silences: Iterable[Silence],
    firing: Mapping[int, AlertRule],
    inhibitors: Mapping[int, set[int]],
) -> str:
    """Why nobody is told of `alert` now; empty: somebody is.

    `firing`: the rules that have a firing alert. `inhibitors`: for each rule, those that hold it back.
    """
    for silence in silences:
        if silence.holds_at(now) and silence.covers(alert.rule, alert.labels):
            return f"silenced: {silence.reason}"[:LONGEST]
    for pk in sorted(inhibitors.get(alert.rule_id, set()) & firing.keys()):
        if circle(alert.rule_id, {pk}, inhibitors):
            continue  # each would wait for the other, and nobody be told of either
        return f"follows from: {firing[pk]}"[:LONGEST]
    return ""


def inhibitors_of(rules: Iterable[AlertRule]) -> dict[int, set[int]]:
    """For each rule the ones that hold it back; one query."""
    through = AlertRule.inhibited_by.through.objects.filter(
        from_alertrule__in=[rule.pk for rule in rules]
    )
    found: dict[int, set[int]] = {}
    for held, by in through.values_list("from_alertrule_id", "to_alertrule_id"):
        found.setdefault(held, set()).add(by)
    return found


def circle(rule: int, by: Iterable[int], inhibitors: Mapping[int, set[int]]) -> bool:
    """Whether `rule`, held back by `by`, would in the end hold back itself: then nobody is told."""
    seen: set[int] = set()
    ahead = set(by)
    while ahead:
        one = ahead.pop()
        if one == rule:
            return True
        seen.add(one)
        ahead |= inhibitors.get(one, set()) - seen
    return False
