"""Settings that came with an import: shown beside the user's own, and taken over where the user says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.messages import success
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.ai import offers
from conversations.choice_forms import AssistantForm, HistoryForm
from conversations.forms import AppearanceForm, LanguageForm, TimeForm
from conversations.models import Import, Preferences, Theme
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.views.responses import SeeOther
from performance.cache import ai_response_cache, conversation_cache

if TYPE_CHECKING:
    from django import forms
    from django_stubs_ext import StrOrPromise

# Each with the form that says what it may be.
KINDS: dict[str, tuple[StrOrPromise, type[forms.Form]]] = {
    "system_prompt": (_("Instructions"), AssistantForm),
    "chat_model": (_("Model"), AssistantForm),
    "keep_history": (_("Keep new conversations"), HistoryForm),
    "use_caches": (_("Use the caches"), HistoryForm),
    "theme": (_("Appearance"), AppearanceForm),
    "language": (_("Language"), LanguageForm),
    "time_zone": (_("Time zone"), TimeForm),
}
NOTHING = pgettext_lazy("setting", "nothing chosen")


@dataclass(frozen=True)
class Brought:
    """One that differs from the user's own. `overwrites` where the user has chosen something else."""

    name: str
    title: StrOrPromise
    value: Any
    words: str
    own: str
    overwrites: bool


def brought(preferences: Preferences, found: Import) -> list[Brought]:
    """Those of the import that can be had here and are not as the user has them already."""
    rows, untouched = [], Preferences()
    for name, (title, form) in KINDS.items():
        own = getattr(preferences, name)
        value = found.preferences.get(name, own)
        if value == own or form({name: value}).has_error(name):
            continue
        overwrites = own != getattr(untouched, name)
        rows.append(Brought(name, title, value, _words(name, value), _words(name, own), overwrites))
    return rows


def _words(name: str, value: Any) -> str:
    """The value as its page of settings shows it."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if not value:
        return str(NOTHING)
    match name:
        case "theme":
            return str(Theme(value).label)
        case "language":
            return str(dict(settings.LANGUAGES).get(value, value))
        case "chat_model" if offer := offers.find(value):
            return str(offer.title)
    return str(value)


@require_POST
@signed_in
def take(request: AuthenticatedHttpRequest, number: int) -> HttpResponse:
    """Takes those over that the form names; the others are forgotten."""
    found = get_object_or_404(Import.objects.filter(user=request.user), pk=number)
    rows = brought(request.preferences, found)
    changes = {row.name: row.value for row in rows if row.name in request.POST}
    if changes:
        Preferences.objects.change(request.user, **changes)
    if changes.get("use_caches") is False:  # what was stored before the choice must not come back
        conversation_cache.forget(request.user.pk)
        ai_response_cache.clear(user=request.user.pk)
    Import.objects.filter(pk=found.pk).update(preferences={})
    success(request, gettext("Saved.") if changes else gettext("Your settings stay as they are."))
    return SeeOther(found.get_absolute_url())
