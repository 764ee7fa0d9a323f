"""One row for each run of a task, written in batches after the fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models


class TaskRunQuerySet(models.QuerySet["TaskRun"]):
    """Questions about many runs."""

    def since(self, moment: datetime) -> TaskRunQuerySet:
        """Runs that ended after `moment`."""
        return self.filter(finished_at__gte=moment)


class TaskRun(models.Model):
    """What a run cost and how it ended; no arguments but those that the task declares safe."""

    class Status(models.TextChoices):
        SUCCESSFUL = "successful", "Successful"
        FAILED = "failed", "Failed"
        RETRIED = "retried", "Failed, tried again"
        STOPPED = "stopped", "Stopped"
        PARKED = "parked", "Parked"
        LOST = "lost", "Lost with its worker"

    id = models.BigAutoField(primary_key=True)
    task_id = models.CharField(max_length=64)
    task = models.CharField(max_length=200)
    level = models.CharField(max_length=16)
    status = models.CharField(max_length=16, choices=Status)
    waited = models.FloatField(help_text="Seconds in the queue.")
    ran = models.FloatField(help_text="Seconds of work; 0 where the worker died.")
    attempt = models.PositiveIntegerField()
    error = models.CharField(max_length=200, blank=True)
    worker = models.CharField(max_length=64)
    correlation_id = models.CharField(max_length=64, blank=True)
    who = models.CharField(max_length=100, blank=True, help_text="For whom it ran.")
    about = models.CharField(max_length=200, blank=True, help_text="What it was about.")
    arguments = models.JSONField(null=True, blank=True, help_text="Those declared safe.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    objects: Any = TaskRunQuerySet.as_manager()

    class Meta:
        ordering = ["-finished_at", "-id"]
        default_permissions = ("view",)
        permissions = [
            ("view_queues", "Can see queues, workers and jobs"),
            ("retry_task", "Can run failed tasks again"),
            ("cancel_task", "Can cancel tasks"),
            ("pause_level", "Can pause levels and schedules"),
            ("empty_level", "Can empty levels"),
        ]
        indexes = [
            models.Index(fields=["-finished_at", "-id"], name="taskrun_newest"),
            models.Index(fields=["task", "-finished_at"], name="taskrun_task"),
            models.Index(fields=["task_id"], name="taskrun_task_id"),
            models.Index(
                fields=["correlation_id"],
                name="taskrun_correlation",
                condition=~models.Q(correlation_id=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.status}"
