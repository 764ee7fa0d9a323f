"""Opening, using and ending an access by which staff read a conversation. Each is written down."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation, SupportAccess, SupportAccessEvent
from conversations.tasks import tell_of_broken_glass

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

Kind = SupportAccessEvent.Kind

GLASS = timedelta(hours=1)  # for which it stays broken


def consent(user: User, conversation: Conversation | None, hours: int) -> SupportAccess:
    """The user lets staff read one of their conversations, or all (None).

    What they consented to before ends by the new time: who takes it back must not leave another open.
    """
    until = timezone.now() + timedelta(hours=hours)
    with transaction.atomic():
        get_user_model().objects.select_for_update().only("pk").get(pk=user.pk)
        given = SupportAccess.objects.open_now().filter(user=user, staff=None)
        access = given.filter(conversation=conversation).first()
        access = access or SupportAccess(user=user, conversation=conversation)
        access.expires_at = until
        access.save()
        _note(Kind.CONSENTED, access, access.conversation_id)
    return access


def take_back(access: SupportAccess) -> None:
    """Ends a consent at once. Does nothing to one that has ended."""
    with transaction.atomic():
        if SupportAccess.objects.filter(pk=access.pk).end():
            _note(Kind.ENDED, access, access.conversation_id)


def break_glass(staff: User, conversation: Conversation, reason: str) -> SupportAccess:
    """Opens one conversation for this member of staff for an hour, and tells its user."""
    with transaction.atomic():
        access = SupportAccess.objects.create(
            user_id=conversation.user_id,
            conversation=conversation,
            staff=staff,
            reason=reason,
            expires_at=timezone.now() + GLASS,
        )
        _note(Kind.BROKE_GLASS, access, conversation.pk, staff)
        transaction.on_commit(partial(tell_of_broken_glass.enqueue, access_id=access.pk))
    return access


def access_to(conversation: Conversation, staff: User) -> SupportAccess | None:
    """The access by which they may read it now; consent goes before a broken glass."""
    for access in SupportAccess.objects.to_read(conversation, staff).order_by("-staff", "-pk"):
        needed = "read_with_consent" if access.is_by_consent else "break_glass"
        if staff.has_perm(f"conversations.{needed}"):
            return access
    return None


def note_reading(access: SupportAccess, conversation: Conversation, staff: User) -> None:
    """Before what was written is shown: what cannot be written down is not shown."""
    _note(Kind.READ, access, conversation.pk, staff)


def _note(
    kind: Kind, access: SupportAccess, conversation: UUID | None, staff: User | None = None
) -> None:
    SupportAccessEvent.objects.create(
        kind=kind,
        access_number=access.pk,
        owner_number=access.user_id,
        conversation_number=conversation,
        staff_number=staff.pk if staff else None,
        staff_name=staff.get_username() if staff else "",
        reason=access.reason if kind == Kind.BROKE_GLASS else "",
    )
