"""The sections of /settings/, in their order. A new one: an entry here, a view, its URL and template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Section:
    """`url_name` is reversed without arguments; `for_visitors` says that nobody need be signed in."""

    url_name: str
    title: StrOrPromise
    summary: StrOrPromise
    for_visitors: bool = False

    @cached_property
    def url(self) -> str:
        """Every page of settings names all of them."""
        return reverse(self.url_name)


SECTIONS = (
    Section(
        "conversations:settings_assistant",
        _("Assistant"),
        _("Instructions for every answer, and the model that new conversations begin with."),
    ),
    Section(
        "conversations:settings_history",
        _("History and caching"),
        _("Whether conversations are kept, and whether answers come from the cache."),
    ),
    Section(
        "conversations:settings_appearance",
        _("Appearance"),
        _("Light, dark or high-contrast colours, on this device and wherever you sign in."),
        for_visitors=True,
    ),
    Section(
        "conversations:settings_time",
        _("Time zone"),
        _("In which times are shown and days begin."),
    ),
    Section(
        "conversations:settings_language",
        _("Language"),
        _("Of the pages. What was written stays as it is."),
        for_visitors=True,
    ),
    Section(
        "conversations:settings_keyboard",
        _("Keyboard"),
        _("Which keys do what, and whether they do."),
        for_visitors=True,
    ),
    Section(
        "conversations:transfer",
        _("Export and import"),
        _("Take your conversations with you, or bring them back."),
    ),
    Section(
        "conversations:shares",
        _("Share links"),
        _("Conversations that you show to others, how often they were opened, and their end."),
    ),
    Section(
        "conversations:settings_usage",
        _("Usage"),
        _("Tokens and cost by day and month, what the cache saved, and your quotas."),
    ),
    Section(
        "conversations:privacy",
        _("Privacy"),
        _("Let support read a conversation for some hours, and see who has read any."),
    ),
    Section("account_email", _("E-mail addresses"), _("Where you sign in and get mail.")),
    Section("account_change_password", _("Password"), _("Choose another one.")),
    Section(
        "conversations:delete_account",
        _("Delete account"),
        _("Leave for good, with everything that is yours."),
    ),
)


def sections(*, signed_in: bool) -> tuple[Section, ...]:
    """Those that a visitor may open."""
    return tuple(section for section in SECTIONS if signed_in or section.for_visitors)
