from __future__ import annotations

from django.db import models


class Item(models.Model):
    """A row of a hundred."""

    name = models.CharField(max_length=50)

    class Meta:
        app_label = "bench"
        managed = False  # the measuring process makes the table itself
