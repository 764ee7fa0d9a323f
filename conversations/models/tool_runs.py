"""One call of a tool: what was asked, what came back, how long it took."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from conversations.models.replies import Reply


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

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name}, {self.milliseconds} ms"

    @property
    def from_cache(self) -> bool:
        return self.cached_at is not None

    @property
    def succeeded(self) -> bool:
        return not self.error
