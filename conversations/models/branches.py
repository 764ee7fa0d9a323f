"""A conversation is a tree, kept as branches: a branch is a run of messages at consecutive places.

A branch departs from its parent after place `fork`, and goes on at `fork + 1`. What is read along a
branch is its own messages, those of its parent up to the fork, and so on to the first message. A
place is a message's number on that way, so any part of it is a range of places in a few branches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils.functional import cached_property

from conversations.models.conversations import Conversation

if TYPE_CHECKING:
    from conversations.models.messages import Message, MessageQuerySet


class BranchQuerySet(models.QuerySet["Branch"]):
    def last_shown_first(self) -> Self:
        """The first of a conversation's branches in this order is the one that its pages show."""
        return self.order_by("-shown_at", "-id")

    def with_tip(self) -> Self:
        """Asks for each one's `tip` along with it."""
        # Messages belong to branches, so their module imports this one.
        from conversations.models.messages import Message

        last = Message.objects.filter(branch=OuterRef("pk")).order_by("-place").values("place")[:1]
        return self.annotate(tip=Coalesce(Subquery(last), F("fork")))

    def forked(self, before: Message) -> Branch:
        """A new branch, now the one that is shown, whose first message stands beside `before`."""
        own = before.place > before.branch.fork + 1
        return self.begin(
            before.conversation,
            parent_id=before.branch_id if own else before.branch.parent_id,
            fork=before.place - 1,
        )

    def begin(self, conversation: Conversation, **fields: object) -> Branch:
        """A new branch without messages, whose tip is known by that."""
        made = self.create(conversation=conversation, **fields)
        made.tip = made.fork
        return made


class Branch(models.Model):
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="branches", db_index=False
    )
    parent = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="children"
    )
    fork = models.PositiveIntegerField(
        default=0, help_text="The place of the last message shared with the parent; 0 without one."
    )
    shown_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = BranchQuerySet.as_manager()

    if TYPE_CHECKING:
        messages: MessageQuerySet

    class Meta:
        verbose_name_plural = "branches"
        constraints = [
            models.CheckConstraint(
                condition=Q(parent=None, fork=0) | Q(parent__isnull=False, fork__gt=0),
                name="branch_forks_from_its_parent",
            )
        ]
        indexes = [models.Index(fields=["conversation", "-shown_at", "-id"], name="branch_shown")]

    def __str__(self) -> str:
        return f"Branch {self.pk}, from place {self.fork + 1}"

    @cached_property
    def tip(self) -> int:
        """The place of its last message, as it was when first asked for or after the last `append`."""
        last = self.messages.aggregate(place=Max("place"))["place"]
        return self.fork if last is None else int(last)

    def append(self, *messages: Message) -> None:
        """Stores messages after the last one. The caller holds the lock on the conversation."""
        for place, message in enumerate(messages, self.tip + 1):
            message.conversation, message.branch, message.place = self.conversation, self, place
        type(messages[0]).objects.bulk_create(messages)
        self.tip += len(messages)

    def show(self) -> None:
        """From now on the conversation's pages show this branch, in every tab."""
        type(self).objects.filter(pk=self.pk).update(shown_at=Now())
