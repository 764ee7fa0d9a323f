"""What the database was asked: fingerprints, their cost by the hour, where they come from, samples.

Written by `performance.queries.writing` alone, in batches. No value of a statement is in any of them.

QueryFingerprint 1 - n QueryStatistics   one hour each: calls, seconds, rows, errors, sketch
                 1 - n CallSite          which request, task or command, and which line, ran it
                 1 - n QuerySample       one slow, repeated or otherwise notable occurrence
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.db import models

_COLUMNS = re.compile(r"^(SELECT(?: DISTINCT)?) .{40,}? FROM ", re.DOTALL)


class QueryFingerprint(models.Model):
    """A statement without its values. Row 0, "(other statements)", stands for those beyond the limit."""

    class Kind(models.TextChoices):
        SELECT = "select", "SELECT"
        INSERT = "insert", "INSERT"
        UPDATE = "update", "UPDATE"
        DELETE = "delete", "DELETE"
        OTHER = "other", "Other"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        IGNORED = "ignored", "Ignored"

    # 8 bytes of BLAKE2b of the text, signed: every process makes the same without asking.
    id = models.BigIntegerField(primary_key=True)
    sql = models.TextField("SQL", help_text="Values are replaced by ?.")
    kind = models.CharField(max_length=8, choices=Kind)
    tables = models.JSONField(default=list)
    alias = models.CharField("database", max_length=64, help_text="Alias of the connection.")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    pg_queryid = models.BigIntegerField(
        null=True, blank=True, help_text="Of pg_stat_statements, where the analysis has found it."
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)

    class Meta:
        ordering = ["-last_seen", "id"]
        default_permissions = ("view",)
        permissions = [("ignore_query", "Can ignore queries")]
        indexes = [models.Index(fields=["-last_seen", "id"], name="queryfingerprint_last_seen")]

    def __str__(self) -> str:
        """Short: what is selected is left out where it is long."""
        short = _COLUMNS.sub(r"\1 ... FROM ", self.sql, count=1)
        return short if len(short) <= 160 else f"{short[:160]}..."


class QueryStatisticsQuerySet(models.QuerySet["QueryStatistics"]):
    """Questions about many hours."""

    def since(self, moment: datetime) -> QueryStatisticsQuerySet:
        """Hours that began at `moment` or later."""
        return self.filter(hour__gte=moment)


class QueryStatistics(models.Model):
    """One hour of one fingerprint. `sketch` is performance.metrics.sketch's, of seconds, in msgpack."""

    id = models.BigAutoField(primary_key=True)
    fingerprint = models.ForeignKey(
        QueryFingerprint, models.CASCADE, related_name="statistics", db_index=False
    )
    hour = models.DateTimeField(help_text="Its beginning.")
    calls = models.BigIntegerField()
    seconds = models.FloatField(help_text="Of all calls.")
    max_seconds = models.FloatField()
    rows = models.BigIntegerField(help_text="Returned or changed, where the driver says.")
    errors = models.BigIntegerField(default=0)
    sketch = models.BinaryField(default=b"")

    objects: Any = QueryStatisticsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "query statistics"
        ordering = ["-hour", "fingerprint_id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["fingerprint", "hour"], name="querystatistics_once")
        ]
        indexes = [models.Index(fields=["hour"], name="querystatistics_hour")]

    def __str__(self) -> str:
        return f"{self.fingerprint_id} {self.hour:%Y-%m-%d %H:00}"


class Scope(models.TextChoices):
    REQUEST = "request", "Request"
    TASK = "task", "Task"
    COMMAND = "command", "Command"


class CallSite(models.Model):
    """Who runs a fingerprint. `file` is empty for runs whose line was not looked up.

    The line is no part of its identity: it moves with every edit. `file` is a template's where
    `template` is true.
    """

    id = models.BigAutoField(primary_key=True)
    fingerprint = models.ForeignKey(
        QueryFingerprint, models.CASCADE, related_name="call_sites", db_index=False
    )
    scope_kind = models.CharField(max_length=8, choices=Scope)
    scope_name = models.CharField(max_length=200, help_text="Of the view, task or command.")
    file = models.CharField(max_length=200, blank=True)
    function = models.CharField(max_length=200, blank=True)
    line = models.PositiveIntegerField(default=0)
    template = models.BooleanField(default=False, help_text="While a template was rendered.")
    calls = models.BigIntegerField()
    seconds = models.FloatField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        ordering = ["-seconds", "id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint", "scope_kind", "scope_name", "file", "function"],
                name="callsite_once",
            )
        ]
        indexes = [models.Index(fields=["last_seen"], name="callsite_last_seen")]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else f"{self.scope_kind} {self.scope_name}"


class QuerySample(models.Model):
    """One notable occurrence; alike ones of the same seconds are one row with `times` counted."""

    class Finding(models.TextChoices):
        SLOW = "slow", "Slow"
        N_PLUS_ONE = "n_plus_one", "N+1"
        DUPLICATE = "duplicate", "Duplicate"
        WRITE_LOOP = "write_loop", "Writes in a loop"
        IN_TEMPLATE = "in_template", "In a template"
        AFTER_RESPONSE = "after_response", "After the response began"
        LONG_TRANSACTION = "long_transaction", "Long transaction"
        CONNECTION_WAIT = "connection_wait", "Wait for a connection"
        BUDGET = "budget", "Budget exceeded"
        SAMPLED = "sampled", "Sampled"

    id = models.BigAutoField(primary_key=True)
    # Empty for what concerns a scope as a whole: its transaction, its connection, its budget.
    fingerprint = models.ForeignKey(
        QueryFingerprint,
        models.CASCADE,
        related_name="samples",
        null=True,
        blank=True,
        db_index=False,
    )
    finding = models.CharField(max_length=16, choices=Finding)
    scope_kind = models.CharField(max_length=8, choices=Scope)
    scope_name = models.CharField(max_length=200)
    file = models.CharField(max_length=200, blank=True)
    function = models.CharField(max_length=200, blank=True)
    line = models.PositiveIntegerField(default=0)
    template = models.BooleanField(default=False)
    seconds = models.FloatField(help_text="What it cost; of repetitions, what all but one cost.")
    repeats = models.PositiveIntegerField(
        default=1, help_text="Runs of the statement in its scope."
    )
    times = models.PositiveIntegerField(default=1, help_text="Alike occurrences at that time.")
    remedy = models.CharField(max_length=300, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["-at", "-id"], name="querysample_newest"),
            models.Index(fields=["fingerprint", "-at"], name="querysample_fingerprint"),
            models.Index(
                fields=["correlation_id"],
                name="querysample_correlation",
                condition=~models.Q(correlation_id=""),
            ),
        ]

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file else self.scope_name
        return f"{self.get_finding_display()} at {place}"


class QueryLogProcess(models.Model):
    """The newest batch that was written of a process: what is delivered again is not counted again."""

    id = models.CharField(max_length=100, primary_key=True)
    batch = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["at"], name="querylogprocess_age")]

    def __str__(self) -> str:
        return self.id
