"""Durable tasks that may not have reached Redis yet."""

from __future__ import annotations

from django.db import models


class TaskOutbox(models.Model):
    """A job as it is to be sent; the row goes when Redis has it, else a sweeper sends it."""

    id = models.CharField(max_length=64, primary_key=True)
    task = models.CharField(max_length=200)
    job = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["created_at"], name="taskoutbox_oldest")]

    def __str__(self) -> str:
        return self.task
