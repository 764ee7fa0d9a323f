"""What of a conversation is shared, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conversations.forms import DAMAGED

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class PreviewForm(forms.Form):
    """What of a conversation a link is to show."""

    with_tools = forms.BooleanField(required=False)
    with_name = forms.BooleanField(required=False)


class ShareForm(forms.Form):
    """For how long a link works, and the preview that it shows. 0 days: until it is revoked."""

    LIVES: tuple[tuple[int, StrOrPromise], ...] = (
        (1, _("1 day")),
        (7, _("7 days")),
        (30, _("30 days")),
        (0, _("until I revoke it")),
    )

    days = forms.TypedChoiceField(
        coerce=int, error_messages={"invalid_choice": _("Choose one of the times of the list.")}
    )
    snapshot = forms.CharField(max_length=8000, error_messages={"required": DAMAGED})
    key = forms.UUIDField(error_messages={"invalid": DAMAGED, "required": DAMAGED})

    def __init__(self, *args: Any, most_days: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].choices = self.lives(most_days)  # type: ignore[attr-defined]

    @classmethod
    def lives(cls, most_days: int | None) -> list[tuple[int, StrOrPromise]]:
        """Those that the site allows; its longest too, where it allows not all of them."""
        if most_days is None:
            return list(cls.LIVES)
        allowed = [(days, label) for days, label in cls.LIVES if 0 < days <= most_days]
        if most_days not in dict(allowed):
            longest = ngettext("%(days)s day", "%(days)s days", most_days) % {"days": most_days}
            allowed.append((most_days, longest))
        return allowed

    @property
    def problems(self) -> list[str]:
        return [str(message) for messages in self.errors.values() for message in messages]
