"""Who besides their owner may read conversations, and who has: consent is given and taken back here."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from conversations import support
from conversations.models import Conversation, SupportAccess, SupportAccessEvent
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.views.responses import SeeOther
from conversations.views.settings import section_page

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CHOICES = 30  # conversations to choose from, besides all of them
EVENTS = 50  # the newest that are shown
HOURS = (
    (1, gettext_lazy("1 hour")),
    (24, gettext_lazy("1 day")),
    (72, gettext_lazy("3 days")),
    (168, gettext_lazy("7 days")),
)


class ConsentForm(forms.Form):
    """One of the user's own conversations, or all; and for how long."""

    conversation = forms.ModelChoiceField(
        Conversation.objects.none(),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose one of your conversations.")},
    )
    hours = forms.TypedChoiceField(
        choices=HOURS,
        coerce=int,
        error_messages={"invalid_choice": gettext_lazy("Choose one of the times of the list.")},
    )

    def __init__(self, request: AuthenticatedHttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self.fields["conversation"].queryset = request.user.conversations  # type: ignore[attr-defined]

    @property
    def problems(self) -> list[str]:
        return [str(message) for messages in self.errors.values() for message in messages]


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def privacy(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Open accesses and what was done with them; a POST gives consent."""
    form = ConsentForm(request)
    if form.is_valid():
        chosen = form.cleaned_data["conversation"]
        support.consent(request.user, chosen, form.cleaned_data["hours"])
        messages.success(request, _("Support can read it now. You can take that back at any time."))
        return SeeOther(reverse("conversations:privacy"))
    status = 422 if form.is_bound else 200
    return section_page(request, "settings/privacy.html", _context(request, form), status)


@require_POST
@signed_in
def take_back(request: AuthenticatedHttpRequest, number: int) -> HttpResponse:
    """Ends a consent. What staff opened without it ends by itself."""
    given = request.user.support_accesses.filter(staff=None)
    support.take_back(get_object_or_404(given, pk=number))
    messages.success(request, _("Support cannot read it any more."))
    return SeeOther(reverse("conversations:privacy"))


def _context(request: AuthenticatedHttpRequest, form: ConsentForm) -> dict[str, object]:
    user = request.user
    accesses: list[SupportAccess] = list(
        user.support_accesses.open_now().select_related("conversation").order_by("-pk")
    )
    events = list(SupportAccessEvent.objects.filter(owner_number=user.pk).order_by("-pk")[:EVENTS])
    names = _named(user, events)
    return {
        "form": form,
        "accesses": accesses,
        "events": [(event, _name(event, names)) for event in events],
        "choices": user.conversations.kept().newest_first()[:CHOICES],
        "hours": HOURS,
    }


def _named(user: User, events: list[SupportAccessEvent]) -> dict[uuid.UUID, str]:
    numbers = {event.conversation_number for event in events if event.conversation_number}
    found = user.conversations.filter(pk__in=numbers)
    return {conversation.pk: conversation.name for conversation in found}


def _name(event: SupportAccessEvent, names: dict[uuid.UUID, str]) -> str:
    if event.conversation_number is None:
        return _("All conversations")
    return names.get(event.conversation_number) or _("A conversation that is deleted")
