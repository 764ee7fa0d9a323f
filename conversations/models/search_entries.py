"""What is searched of a message: its words, beside whose it is, who said it and when.

The database keeps these rows itself (migration 0006): a trigger writes one with each text, and a row goes
with its message. So one index answers "these words in this user's messages", whoever wrote them.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from conversations.models.messages import Message, Role


class SearchEntry(models.Model):
    message = models.OneToOneField(
        Message,
        models.DO_NOTHING,
        primary_key=True,
        related_name="search_entry",
        db_constraint=False,  # the database has one that cascades
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="search_entries",
        db_constraint=False,
        db_index=False,
    )
    role = models.CharField(max_length=9, choices=Role)
    created_at = models.DateTimeField()
    document = SearchVectorField()

    class Meta:
        verbose_name_plural = "search entries"
        indexes = [
            GinIndex(fields=["user", "document"], name="search_entry_words"),
            models.Index(fields=["user", "-created_at", "-message"], name="search_entry_newest"),
        ]

    def __str__(self) -> str:
        return f"Words of message {self.message_id}"
