"""One call of a tool: what was asked, what came back, how long it took, and who allowed it."""

from __future__ import annotations

import hashlib

from django.db import models
from django.utils import timezone

from conversations.models.replies import Reply


class Permission(models.TextChoices):
    """A tool that acts runs once, after its user has allowed exactly this call."""

    NOT_NEEDED = "", "Not needed"
    ASKED = "asked", "Asked"
    GIVEN = "given", "Given"
    REFUSED = "refused", "Refused"
    USED = "used", "Used"


class ToolRun(models.Model):
    reply = models.ForeignKey(Reply, models.CASCADE, related_name="tool_runs")
    attempt = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField(default=1)
    arguments = models.TextField()
    result = models.TextField(blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    milliseconds = models.PositiveIntegerField(default=0)
    cached_at = models.DateTimeField(null=True, blank=True)
    permission = models.CharField(
        max_length=7, choices=Permission, default=Permission.NOT_NEEDED, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["started_at"], name="tool_run_by_time")]

    def __str__(self) -> str:
        return f"{self.name}, {self.milliseconds} ms"

    @property
    def from_cache(self) -> bool:
        return self.cached_at is not None

    @property
    def seal(self) -> str:
        """Stands for exactly this call in the form that allows it: other arguments, another seal."""
        call = "\0".join([str(self.pk), self.name, str(self.version), self.arguments])
        return hashlib.sha256(call.encode()).hexdigest()

    async def ause_permission(self) -> bool:
        """True once for a call that was allowed: another worker must not run it again."""
        mine = type(self).objects.filter(pk=self.pk, permission=Permission.GIVEN)
        return await mine.aupdate(permission=Permission.USED) == 1

    @property
    def succeeded(self) -> bool:
        return not self.error
