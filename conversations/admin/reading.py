"""The one place where staff read what was said: behind consent or a broken glass, each look written down."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from conversations import support
from conversations.models import Conversation, Message
from conversations.models.support_access import REASON_LENGTH
from conversations.windows import asked_number

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MESSAGES = 50  # on a page
SHORTEST = 20  # characters of a reason

needs_view = permission_required("conversations.view_conversation", raise_exception=True)
needs_glass = permission_required("conversations.break_glass", raise_exception=True)


class ReasonForm(forms.Form):
    """Why somebody's privacy has to give way."""

    reason = forms.CharField(
        min_length=SHORTEST,
        max_length=REASON_LENGTH,
        widget=forms.Textarea,
        error_messages={
            "required": "Write down why. The user reads it, and so does whoever looks at the log.",
            "min_length": f"Say more: a reason has {SHORTEST} characters or more.",
        },
    )


@require_safe
@never_cache
@needs_view
def read(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A page of the conversation's messages, of all versions, where an access is open; 403 where none is."""
    conversation = get_object_or_404(Conversation, pk=pk)
    staff = cast("User", request.user)
    access = support.access_to(conversation, staff)
    if access is None:
        context = {"conversation": conversation, "title": "Private"}
        return _page(request, "conversations/admin/private.html", context, 403)
    after = asked_number(request.GET, "after", 0)
    support.note_reading(access, conversation, staff)
    rows = conversation.messages.for_page().filter(pk__gt=after).order_by("pk")
    found: list[Message] = list(rows[: MESSAGES + 1])
    context = {
        "conversation": conversation,
        "access": access,
        "rows": found[:MESSAGES],
        "next": found[MESSAGES - 1].pk if len(found) > MESSAGES else 0,
        "title": "What was said",
    }
    return _page(request, "conversations/admin/read.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_view
@needs_glass
def break_glass(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Asks for the reason; with it, the conversation is open to this member of staff for an hour."""
    conversation = get_object_or_404(Conversation, pk=pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        support.break_glass(cast("User", request.user), conversation, form.cleaned_data["reason"])
        return redirect("admin:conversations_conversation_read", pk)
    context = {
        "conversation": conversation,
        "form": form,
        "minutes": int(support.GLASS.total_seconds() / 60),
        "title": "Break the glass",
    }
    status = 400 if form.is_bound else 200
    return _page(request, "conversations/admin/break_glass.html", context, status)


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    shared = admin.site.each_context(request)
    return render(request, template, {**shared, **context}, status=status)
