"""What people may choose under /settings/ and for a conversation, and how a refusal is put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.ai import offers
from conversations.forms import NUL, MessageForm, TextField
from conversations.models import SYSTEM_PROMPT_LENGTH, Preferences

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def model_choices() -> list[tuple[str, StrOrPromise]]:
    """The models on offer; "" is the first of them, and what the site puts in its place later."""
    found = offers.offers()
    first = _("The site's choice (%(model)s)") % {"model": found[0].title}
    return [("", first), *((offer.key, offer.title) for offer in found)]


class ModelField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        words = _("There is no model “%(value)s” here, or not any more: choose one of the list.")
        super().__init__(
            choices=model_choices,
            required=False,
            error_messages={"invalid_choice": words},
            **kwargs,
        )


class SystemPromptField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        words: dict[str, StrOrPromise] = {
            "max_length": _(
                "The instructions have %(show_value)s characters; %(limit_value)s are allowed. Shorten them."
            ),
            "null_characters_not_allowed": NUL,
        }
        super().__init__(
            required=False, max_length=SYSTEM_PROMPT_LENGTH, error_messages=words, **kwargs
        )


class AssistantForm(forms.Form):
    """What a user wants of every answer."""

    chat_model = ModelField()
    system_prompt = SystemPromptField()


class HistoryForm(forms.Form):
    keep_history = forms.BooleanField(required=False)
    use_caches = forms.BooleanField(required=False)


class SetupForm(forms.Form):
    """What a conversation has of its own."""

    chat_model = ModelField()
    system_prompt = SystemPromptField()
    reuse_answers = forms.BooleanField(required=False)


class AgainForm(forms.Form):
    chat_model = ModelField()


class StartForm(MessageForm):
    """A first message, and how its conversation is set up: what the form leaves out is as the user prefers."""

    chat_model = ModelField()
    system_prompt = SystemPromptField()
    temporary = forms.BooleanField(required=False)

    def __init__(self, *args: Any, preferences: Preferences, **kwargs: Any) -> None:
        self._preferred = {
            "chat_model": offers.known(preferences.chat_model),
            "temporary": not preferences.keep_history,
        }
        super().__init__(*args, initial=self._preferred, **kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        absent = {name: value for name, value in self._preferred.items() if name not in self.data}
        return {**cleaned, **absent}
