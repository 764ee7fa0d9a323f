"""The form that says why an answer is good or bad."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from conversations.forms import ENCODING, NUL, TextField
from conversations.models import COMMENT_LENGTH, REASONS, Reason, Verdict


class RatingForm(forms.Form):
    verdict = forms.ChoiceField(
        label=_("This answer is"),
        choices=Verdict.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Say first whether the answer is good or bad."),
            "invalid_choice": _("%(value)s is no rating: choose good or bad."),
        },
    )
    reason = forms.ChoiceField(
        label=_("Why?"),
        required=False,
        choices=[("", _("No reason")), *Reason.choices],
        error_messages={"invalid_choice": _("%(value)s is none of the reasons.")},
    )
    comment = TextField(
        label=_("In your words"),
        required=False,
        strip=False,
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "max_length": _(
                "That has %(show_value)s characters; %(limit_value)s are allowed. Shorten it."
            ),
            "null_characters_not_allowed": NUL,
        },
    )
    send_texts = forms.BooleanField(
        label=_("Send this question and answer along with the rating"),
        required=False,
        help_text=_(
            "The site's staff read your rating and your words, but not your conversations. "
            "With this they can read this one question and its answer as well."
        ),
    )

    def __init__(self, *args: Any, valid_utf8: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._valid_utf8 = valid_utf8

    def clean_comment(self) -> str:
        if not self._valid_utf8:
            raise ValidationError(ENCODING)
        return str(self.cleaned_data["comment"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        verdict, reason = cleaned.get("verdict"), cleaned.get("reason")
        if verdict and reason and reason not in REASONS[Verdict(verdict)]:
            self.add_error("reason", _("That reason does not go with this rating."))
        return cleaned
