"""The plan of a fingerprint as the last analysis that was kept saw it."""

from __future__ import annotations

from django.db import models

from performance.models.queries import QueryFingerprint


class QueryPlan(models.Model):
    """One plan a fingerprint: the tree of `Plan.shown()`, without any literal."""

    fingerprint = models.OneToOneField(
        QueryFingerprint, models.CASCADE, primary_key=True, related_name="kept_plan"
    )
    plan = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.plan.get('kind', 'plan')} of {self.fingerprint_id}"
