"""Files that users send with their messages, and the text that was read out of them.

The file itself lies in `storages["attachments"]`, outside of anything that is served, under a random
name; it goes when its row has gone for good (conversations.receivers).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchVectorField
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, OuterRef, Q, Sum, Value
from django.db.models.functions import Greatest, JSONObject
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.conversations import Conversation
from conversations.models.messages import Message

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

NAME_LENGTH = 120
LEAST = 16 * 1024  # bytes that a file counts for: one byte would let a user store 200 million files


class Kind(models.TextChoices):
    TEXT = "text", _("Text")
    MARKDOWN = "markdown", _("Markdown")
    CSV = "csv", _("Table (CSV)")
    PDF = "pdf", _("PDF")
    IMAGE = "image", _("Image")


class ReadingState(models.TextChoices):
    WAITING = "waiting", _("Waiting to be read")
    READING = "reading", _("Being read")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Not readable")


UNREAD = (ReadingState.WAITING, ReadingState.READING)


def attachment_storage() -> Storage:
    return storages["attachments"]


def stored_name(_attachment: Attachment, _name: str) -> str:
    """A name that says nothing of the file; two characters of it spread the files over folders."""
    name = uuid.uuid4().hex
    return f"{name[:2]}/{name}"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def unsent(self) -> Self:
        return self.filter(conversation=None)

    def unread(self) -> Self:
        return self.filter(state__in=UNREAD)

    def in_order(self) -> Self:
        return self.order_by("created_at", "pk")

    def bytes(self) -> int:
        """What all of them together count for: file and text, each for LEAST at least, as its row and its job do."""
        counted = Greatest(F("size") + F("text_size"), Value(LEAST))
        return self.aggregate(bytes=Sum(counted))["bytes"] or 0

    def forgotten(self, after: timedelta) -> Self:
        """Uploaded that long ago, and still in no message."""
        return self.unsent().filter(created_at__lt=timezone.now() - after)

    def left(self, patience: timedelta) -> Self:
        """To be read, and nobody has touched them for longer than that."""
        return self.unread().filter(state_at__lt=timezone.now() - patience)

    def wait_anew(self, pks: Sequence[uuid.UUID]) -> None:
        """Those of them that are still in this set can be claimed from now on, and are left again after as long."""
        self.filter(pk__in=pks).update(state=ReadingState.WAITING, state_at=timezone.now())

    def claim(self, pk: uuid.UUID, patience: timedelta) -> bool:
        """Takes one to be read. False where another worker has it, or it has been read."""
        now = timezone.now()
        idle = Q(state=ReadingState.WAITING) | Q(
            state=ReadingState.READING, state_at__lt=now - patience
        )
        changes = {"state": ReadingState.READING, "state_at": now, "tries": F("tries") + 1}
        return self.filter(idle, pk=pk).update(**changes) == 1


class Attachment(models.Model):
    """`problem` is a code of conversations.attachments.problems where it could not be read.

    Without a conversation it stands in somebody's box and is not sent yet. An edited question
    shares the files of the first one, so a file can belong to several messages of a conversation.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="attachments", db_index=False
    )
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="attachments", null=True, blank=True
    )
    messages = models.ManyToManyField(Message, related_name="attachments", blank=True)
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=8, choices=Kind)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="In bytes.")
    text_size = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Bytes of the text that was read out of it."
    )
    file = models.FileField(storage=attachment_storage, upload_to=stored_name, max_length=200)
    state = models.CharField(max_length=7, choices=ReadingState, default=ReadingState.WAITING)
    state_at = models.DateTimeField(default=timezone.now, editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    problem = models.CharField(max_length=30, blank=True)
    page_count = models.PositiveIntegerField(default=0)
    is_cut = models.BooleanField(
        default=False, help_text="It holds more than is read; the rest is left out."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AttachmentQuerySet.as_manager()

    if TYPE_CHECKING:
        pages: RelatedManager[AttachmentPage]

    class Meta:
        indexes = [
            models.Index(fields=["user", "-created_at"], name="attachment_of_user"),
            models.Index(
                fields=["created_at"], condition=Q(conversation=None), name="attachment_unsent"
            ),
            models.Index(
                fields=["state_at"],
                condition=Q(state__in=["waiting", "reading"]),
                name="attachment_unread",
            ),
        ]

    def __str__(self) -> str:
        # Not its name: that may tell what staff are not to know.
        return f"Attachment {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("conversations:attachment", args=[self.pk])

    @property
    def is_image(self) -> bool:
        return self.kind == Kind.IMAGE

    @property
    def is_ready(self) -> bool:
        return self.state == ReadingState.READY

    @property
    def is_unread(self) -> bool:
        return self.state in UNREAD

    @property
    def can_be_downloaded(self) -> bool:
        """Pictures go out only as they were written anew, without what cameras put into them."""
        return bool(self.file) and (self.is_ready or not (self.is_image or self.is_unread))

    def end(self, state: ReadingState, **fields: Any) -> None:
        """Writes how reading it ended."""
        fields |= {"state": state, "state_at": timezone.now()}
        for name, value in fields.items():
            setattr(self, name, value)
        self.save(update_fields=list(fields))


def shown_files() -> ArraySubquery:
    """Of each message what a page shows of its files, in the statement that reads the messages."""
    own = Attachment.objects.filter(messages=OuterRef("pk")).in_order()
    fields = {"pk": "pk", "name": "name", "kind": "kind", "size": "size", "state": "state"}
    fields |= {"problem": "problem", "pages": "page_count", "is_cut": "is_cut"}
    return ArraySubquery(own.values(shown=JSONObject(**fields)))


class AttachmentPage(models.Model):
    """One page of a PDF, or a few hundred lines of a text; its lines are counted from `first_line`."""

    attachment = models.ForeignKey(Attachment, models.CASCADE, related_name="pages", db_index=False)
    number = models.PositiveIntegerField()
    first_line = models.PositiveIntegerField(default=1)
    text = models.TextField()
    document = models.GeneratedField(
        expression=models.Func(
            F("text"),
            function="to_tsvector",
            template="%(function)s('english'::regconfig, %(expressions)s)",
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attachment", "number"], name="attachment_page_once")
        ]

    def __str__(self) -> str:
        return f"Page {self.number}"

    @property
    def lines(self) -> list[tuple[int, str]]:
        """Its lines with their numbers."""
        return list(enumerate(self.text.split("\n"), self.first_line))
