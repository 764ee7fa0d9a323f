"""A message is one row, for ever: what was said, and what it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models.branches import Branch
from conversations.models.conversations import Conversation

if TYPE_CHECKING:
    from conversations.models.attachments import AttachmentQuerySet
    from conversations.models.replies import Reply

TEXT_LENGTH = 32_000

# What its user thinks of the attempt that is shown: beside each message, without a query of its own.
_VERDICT = """(SELECT verdict FROM conversations_rating JOIN conversations_reply USING (message_id, attempt)
WHERE message_id = conversations_message.id LIMIT 1)"""


class Role(models.TextChoices):
    USER = "user", "User"
    ASSISTANT = "assistant", "Assistant"
    TOOL = "tool", "Tool"


class MessageQuerySet(models.QuerySet["Message"]):
    # Set on a set that is deleted by the thousand by somebody who makes the pages forget by themselves.
    forgotten_by_caller = False

    def for_page(self) -> Self:
        """With all that a page shows of a message, in two queries whatever their number."""
        # Attachments belong to messages, so their module imports this one.
        from conversations.models.attachments import shown_files

        found = self.select_related("reply").prefetch_related("reply__tool_runs")
        return found.annotate(
            files=shown_files(),
            verdict=RawSQL(_VERDICT, [], output_field=models.TextField()),  # noqa: S611 - no value in it
        )

    def for_model(self) -> Self:
        """With what a model is told of a message, and `has_files`."""
        from conversations.models.attachments import Attachment

        links = Attachment.messages.through.objects.filter(message=OuterRef("pk"))
        return self.only("role", "text").annotate(has_files=Exists(links))

    def with_parent(self) -> Self:
        """With the number of the message that each answers or follows, as `parent_id`."""
        before = Message.objects.filter(place=OuterRef("place") - 1).values("pk")
        return self.annotate(
            parent_id=Coalesce(
                Subquery(before.filter(branch=OuterRef("branch"))),
                Subquery(before.filter(branch=OuterRef("branch__parent"))),
            )
        )


class Message(models.Model):
    """`html` is `text` rendered by version `renderer` of conversations.markdown.

    `place` is its number on the way from the first message of the tree, which is at place 1.
    """

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="messages", db_index=False
    )
    # A branch goes with its conversation alone, and the messages with that: no second search for them.
    branch = models.ForeignKey(Branch, models.DO_NOTHING, related_name="messages", db_index=False)
    place = models.PositiveIntegerField()
    role = models.CharField(max_length=9, choices=Role)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True, editable=False)
    renderer = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    idempotency_key = models.UUIDField(null=True, blank=True, editable=False)

    objects = MessageQuerySet.as_manager()

    if TYPE_CHECKING:
        reply: Reply
        attachments: AttachmentQuerySet

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "idempotency_key"], name="message_once_per_key"
            ),
            models.UniqueConstraint(fields=["branch", "place"], name="message_once_per_place"),
        ]
        indexes = [models.Index(fields=["conversation", "created_at"], name="message_by_time")]

    def __str__(self) -> str:
        return f"Message {self.pk}, {self.role}"

    def get_absolute_url(self) -> str:
        """The part of the conversation where it stands, whichever branch is shown now."""
        return f"{self.conversation.get_absolute_url()}?at={self.pk}#m{self.pk}"
