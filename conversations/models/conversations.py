"""A conversation belongs to one user and is found through that user alone."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from conversations.models.attachments import AttachmentQuerySet
    from conversations.models.branches import Branch, BranchQuerySet
    from conversations.models.messages import MessageQuerySet

TITLE_LENGTH = 120
TAG_LENGTH = 30
SYSTEM_PROMPT_LENGTH = 4000  # characters
CHAT_MODEL_LENGTH = 251  # of an alias and a model's name


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def kept(self) -> Self:
        """Without the temporary ones."""
        return self.filter(temporary=False)

    def newest_first(self) -> Self:
        return self.order_by("-last_message_at", "-id")

    def as_listed(self) -> Self:
        """The pinned ones before the others, each newest first."""
        return self.order_by("-pinned", "-last_message_at", "-id")

    def after(self, last_message_at: datetime, pk: uuid.UUID, *, pinned: bool) -> Self:
        """What follows that row in `as_listed()`: a keyset, so page 1,000 costs what page 1 does."""
        older = Q(last_message_at__lt=last_message_at) | Q(
            last_message_at=last_message_at, pk__lt=pk
        )
        if pinned:
            return self.filter(Q(pinned=False) | older)
        return self.filter(older, pinned=False, last_message_at__lte=last_message_at)


class Conversation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The indexes below begin with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversations", db_index=False
    )
    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_message_at = models.DateTimeField(default=timezone.now, editable=False)
    title_is_chosen = models.BooleanField(
        default=False, help_text="By its user or with their permission: no task gives it another."
    )
    reuse_answers = models.BooleanField(
        "answer from the cache",
        default=True,
        help_text="A question asked before in the same words may get the same answer at once.",
    )
    pinned = models.BooleanField(default=False, db_default=False)
    archived = models.BooleanField(
        default=False, db_default=False, help_text="Left out of the list, but not of the search."
    )
    tags = ArrayField(
        models.CharField(max_length=TAG_LENGTH), default=list, db_default=Value([]), blank=True
    )
    system_prompt = models.CharField(
        max_length=SYSTEM_PROMPT_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="Told to the model before the messages, after its user's own.",
    )
    chat_model = models.CharField(
        max_length=CHAT_MODEL_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="Which model answers, as backend/name; empty for the site's choice.",
    )
    temporary = models.BooleanField(
        default=False,
        db_default=False,
        help_text="In no list and no search, kept in no cache, and deleted after some hours.",
    )
    idempotency_key = models.UUIDField(null=True, blank=True, editable=False)

    objects = ConversationQuerySet.as_manager()

    if TYPE_CHECKING:
        attachments: AttachmentQuerySet
        branches: BranchQuerySet
        messages: MessageQuerySet

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"], name="conversation_once_per_key"
            )
        ]
        indexes = [
            models.Index(
                fields=["user", "-last_message_at", "-id"], name="conversation_newest_first"
            ),
            models.Index(
                fields=["user", "archived", "-pinned", "-last_message_at", "-id"],
                name="conversation_as_listed",
            ),
            models.Index(fields=["user"], condition=~Q(tags=[]), name="conversation_with_tags"),
            models.Index(
                fields=["last_message_at"],
                condition=Q(temporary=True),
                name="conversation_temporary",
            ),
        ]

    def __str__(self) -> str:
        """For the admin and the logs, which are not to hold what was said: people read `name`."""
        return f"Conversation {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("conversations:detail", args=[self.pk])

    @property
    def name(self) -> str:
        return self.title or _("New conversation")

    @property
    def shown_branch(self) -> Branch:
        """The branch that its pages show; its first one is made here."""
        return self.branches.last_shown_first().first() or self.branches.begin(self)

    def rename(self, title: str) -> None:
        self.title, self.title_is_chosen = title, True
        self.save(update_fields=["title", "title_is_chosen"])

    def file(self, *, pinned: bool, archived: bool, tags: list[str]) -> None:
        self.pinned, self.archived, self.tags = pinned, archived, tags
        self.save(update_fields=["pinned", "archived", "tags"])

    def suggest_title(self, title: str) -> bool:
        """Renames it unless somebody has chosen a name meanwhile. Says if it did."""
        own = type(self).objects.filter(pk=self.pk, title_is_chosen=False)
        self.title = title
        return own.update(title=title) == 1
