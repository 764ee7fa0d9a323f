"""A message is one row, for ever: what was said, and what it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.utils import timezone

from conversations.models.conversations import Conversation

if TYPE_CHECKING:
    from conversations.models.replies import Reply

TEXT_LENGTH = 32_000


class Role(models.TextChoices):
    USER = "user", "User"
    ASSISTANT = "assistant", "Assistant"
    TOOL = "tool", "Tool"


class MessageQuerySet(models.QuerySet["Message"]):
    def for_page(self) -> Self:
        """With all that a page shows of a message, in two queries whatever their number."""
        return self.select_related("reply").prefetch_related("reply__tool_runs")

    def before(self, pk: int) -> Self:
        return self.filter(pk__lt=pk)

    def newest_first(self) -> Self:
        return self.order_by("-pk")


class Message(models.Model):
    """`html` is `text` rendered by version `renderer` of conversations.markdown."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    role = models.CharField(max_length=9, choices=Role)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True, editable=False)
    renderer = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    idempotency_key = models.UUIDField(null=True, blank=True, editable=False)

    objects = MessageQuerySet.as_manager()

    if TYPE_CHECKING:
        reply: Reply

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "idempotency_key"], name="message_once_per_key"
            )
        ]
        indexes = [
            models.Index(fields=["conversation", "-id"], name="message_newest_first"),
            GinIndex(SearchVector("text", config="english"), name="message_text"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}: {self.text[:40]}"

    def get_absolute_url(self) -> str:
        return f"{self.conversation.get_absolute_url()}#m{self.pk}"
