"""What the analysis of queries has found, kept: indexes to add, and everything else that is wrong."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import MD5


class IndexSuggestionQuerySet(models.QuerySet["IndexSuggestion"]):
    """Questions about suggestions."""

    def open(self) -> IndexSuggestionQuerySet:
        """Those that nobody has decided or carried out."""
        return self.filter(
            status__in=[IndexSuggestion.Status.PROPOSED, IndexSuggestion.Status.ACCEPTED]
        )


class IndexSuggestion(models.Model):
    """An index that would help, with the evidence; after it is there, whether it did."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACCEPTED = "accepted", "Accepted"
        DISMISSED = "dismissed", "Dismissed"
        APPLIED = "applied", "Applied"
        HELPED = "helped", "Helped"
        DID_NOT_HELP = "did_not_help", "Did not help"

    class Confidence(models.TextChoices):
        VERIFIED = "verified", "Verified"
        SAMPLED = "sampled", "Sampled"
        ESTIMATED = "estimated", "Estimated"

    id = models.BigAutoField(primary_key=True)
    alias = models.CharField("database", max_length=64, help_text="Alias of the connection.")
    table = models.CharField(max_length=128)
    definition = models.TextField(help_text="What comes after ON in CREATE INDEX.")
    sql = models.TextField("SQL")
    django = models.TextField("Django", blank=True, help_text="For the model's Meta.indexes.")
    migration = models.TextField(blank=True)
    confidence = models.CharField(max_length=16, choices=Confidence)
    cost_before = models.FloatField(help_text="Of all calls, in the planner's units.")
    cost_after = models.FloatField()
    size = models.BigIntegerField(help_text="Bytes, about.")
    write_entries = models.BigIntegerField(help_text="That the workload would have added to it.")
    blocks_hot = models.BooleanField(help_text="Whether it stops heap-only updates.")
    supersedes = models.JSONField(default=list, blank=True)
    gains = models.JSONField(default=list, help_text="Statement, calls, cost before and after.")
    plan_before = models.JSONField(default=dict)
    plan_after = models.JSONField(default=dict)
    status = models.CharField(max_length=16, choices=Status, default=Status.PROPOSED)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was dismissed.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    first_seen = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField()
    applied_at = models.DateTimeField(
        null=True, blank=True, help_text="When such an index was first seen in the database."
    )
    mean_before = models.FloatField(null=True, blank=True, help_text="Measured seconds of a call.")
    mean_after = models.FloatField(null=True, blank=True)

    objects: Any = IndexSuggestionQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen", "-id"]
        default_permissions = ("view",)
        permissions = [("decide_index", "Can accept and dismiss index suggestions")]
        constraints = [
            models.UniqueConstraint(
                models.F("alias"), MD5("definition"), name="indexsuggestion_once"
            )
        ]
        indexes = [models.Index(fields=["-last_seen", "-id"], name="indexsuggestion_newest")]

    def __str__(self) -> str:
        return self.definition

    @property
    def ratio(self) -> float:
        """Cost after as a share of the cost before."""
        return self.cost_after / self.cost_before if self.cost_before else 1.0


class DatabaseFinding(models.Model):
    """Something the analysis found in the database or its statements, as it was last seen."""

    class Severity(models.TextChoices):
        CRITICAL = "critical", "Critical"
        WARNING = "warning", "Warning"
        INFO = "info", "Info"

    id = models.BigAutoField(primary_key=True)
    alias = models.CharField("database", max_length=64)
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=8, choices=Severity)
    about = models.CharField(max_length=300)
    statement = models.CharField(
        max_length=32, blank=True, help_text="Fingerprint, where it has one."
    )
    said = models.TextField("finding")
    remedy = models.TextField()
    sql = models.TextField("SQL", blank=True)
    first_seen = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField()

    class Meta:
        ordering = ["-last_seen", "severity", "id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["alias", "kind", "about", "statement"], name="databasefinding_once"
            )
        ]
        indexes = [models.Index(fields=["last_seen"], name="databasefinding_age")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}"
