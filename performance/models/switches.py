"""Each time somebody turned a service off or on. The newest row of a switch is its state."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models


class SwitchChangeQuerySet(models.QuerySet["SwitchChange"]):
    """Questions about switches."""

    def newest(self) -> SwitchChangeQuerySet:
        """The newest change of each switch."""
        return self.order_by("switch", "-id").distinct("switch")


class SwitchChange(models.Model):
    """Rows are only added, so two who act at once both stand here, and the later one holds."""

    class Switch(models.TextChoices):
        CACHE = "cache.enabled", "All caches of the chat"
        CONVERSATIONS = "cache.conversations", "Cached pages of conversations"
        AI_RESPONSES = "cache.ai_responses", "Answers to questions asked before"
        TOOL_RESULTS = "cache.tool_results", "Cached results of tools"
        QUERIES = "queries.enabled", "Watching the database's queries"
        ALERTS = "alerts.enabled", "Evaluating alert rules"

    switch = models.CharField(max_length=32, choices=Switch)
    is_on = models.BooleanField()
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name="by"
    )
    by_name = models.CharField(max_length=150, help_text="Stays when the account is deleted.")
    at = models.DateTimeField(auto_now_add=True)

    objects: Any = SwitchChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("change_switches", "Can turn services off and on")]
        indexes = [models.Index(fields=["switch", "-id"], name="switchchange_newest")]

    def __str__(self) -> str:
        return f"{self.get_switch_display()} {'on' if self.is_on else 'off'}"
