"""What a person may type, and how a refusal is put."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations import searching, zones
from conversations.attachments import limits, too_many
from conversations.models import TAG_LENGTH, TEXT_LENGTH, TITLE_LENGTH, Role, Theme

TAGS = 10  # on a conversation
NUL = _("There is an invisible NUL character in the text. Remove it and send again.")
ENCODING = _(
    "The text is not valid UTF-8, so it cannot be read as it was meant. Type or paste it again."
)
KEY_REUSED = _(
    "An earlier text of this form is sent already. To send this one as well, send again."
)
DELETED = _("This conversation was deleted meanwhile. Your text is kept: send it as a new one.")
IN_PROGRESS = _("The assistant is still answering. Wait for the end or stop it, then send this.")
OUTDATED = _("This was decided already, or the assistant asks for something else now. Look again.")
NOTHING_SINCE = _("Nothing was written in this conversation on that day or later.")
DAY = _("Give the day as year-month-day: 2026-11-25.")
ENDS_FIRST = _("The last day is before the first one. Change one of them.")
PAGE = format_lazy(_("The pages of results are 1 to {pages}."), pages=searching.PAGES)
DAMAGED = _("This form is damaged. Send again: it is repaired now.")


class TextField(forms.CharField):
    """Typed text with \\n for line breaks: forms post \\r\\n, and a limit counts what people see."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


class FilesField(forms.Field):
    """The numbers of files that were uploaded before, each once."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[uuid.UUID]:
        try:
            return list(dict.fromkeys(uuid.UUID(one) for one in value or ()))
        except (ValueError, AttributeError, TypeError):
            raise ValidationError(DAMAGED) from None

    def validate(self, value: Any) -> None:
        most = limits().per_message
        if len(value) > most:
            raise ValidationError(too_many(most).words)


class MessageForm(forms.Form):
    """A text, or files alone."""

    text = TextField(
        strip=False,
        required=False,
        max_length=TEXT_LENGTH,
        error_messages={
            "max_length": _(
                "The message has %(show_value)s characters; %(limit_value)s are allowed. "
                "Shorten it, or send it in parts."
            ),
            "null_characters_not_allowed": NUL,
        },
    )
    key = forms.UUIDField(required=False, error_messages={"invalid": DAMAGED})
    attached = FilesField(required=False)

    def __init__(self, *args: Any, valid_utf8: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._valid_utf8 = valid_utf8

    def clean_text(self) -> str:
        if not self._valid_utf8:
            raise ValidationError(ENCODING)
        return str(self.cleaned_data["text"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("text") or cleaned.get("attached") or self.errors):
            self.add_error("text", _("Write a message first."))
        return cleaned

    def clean_key(self) -> uuid.UUID:
        """A form without a key can be sent twice, but it can be sent."""
        return self.cleaned_data["key"] or uuid.uuid4()

    @property
    def typed_text(self) -> str:
        """What stands in the box: the typed text, unchanged but for what no page can hold."""
        return str(self.data.get("text", "")).replace("\0", "")

    @property
    def typed_files(self) -> list[str]:
        """The files that belong to the text, sent or not."""
        data: Any = self.data
        return [str(number) for number in data.getlist("attached")] if self.is_bound else []

    @property
    def problems(self) -> list[str]:
        return [str(message) for messages in self.errors.values() for message in messages]


class NextMessageForm(MessageForm):
    """`branch` is the one that the page shows; without it, the one that the conversation shows."""

    branch = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, error_messages={"invalid": DAMAGED}
    )


class LookForm(forms.Form):
    words = forms.CharField(
        required=False,
        max_length=200,
        error_messages={
            "max_length": _(
                "That has %(show_value)s characters; %(limit_value)s can be searched for."
            ),
            "null_characters_not_allowed": NUL,
        },
    )
    day = forms.DateField(required=False, error_messages={"invalid": DAY})


class SearchForm(forms.Form):
    words = forms.CharField(
        required=False,
        max_length=200,
        error_messages={
            "max_length": _(
                "That has %(show_value)s characters; %(limit_value)s can be searched for."
            ),
            "null_characters_not_allowed": NUL,
        },
    )
    role = forms.ChoiceField(
        required=False,
        choices=[
            ("", pgettext_lazy("written by", "Everybody")),
            (Role.USER, pgettext_lazy("written by", "You")),
            (Role.ASSISTANT, pgettext_lazy("written by", "The assistant")),
        ],
        error_messages={
            "invalid_choice": _("%(value)s wrote nothing: choose you or the assistant.")
        },
    )
    since = forms.DateField(required=False, error_messages={"invalid": DAY})
    until = forms.DateField(required=False, error_messages={"invalid": DAY})
    page = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=searching.PAGES,
        error_messages={"invalid": PAGE, "min_value": PAGE, "max_value": PAGE},
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", ENDS_FIRST)
        return cleaned

    @property
    def wanted(self) -> searching.Search:
        return searching.Search(
            **{name: self.cleaned_data[name] for name in ("words", "role", "since", "until")}
        )


class RenameForm(forms.Form):
    title = forms.CharField(
        max_length=TITLE_LENGTH,
        error_messages={
            "required": _("Give the conversation a name."),
            "max_length": _("The name has %(show_value)s characters; %(limit_value)s are allowed."),
            "null_characters_not_allowed": NUL,
        },
    )
    pinned = forms.BooleanField(required=False)
    archived = forms.BooleanField(required=False)
    tags = forms.CharField(
        required=False, max_length=500, error_messages={"null_characters_not_allowed": NUL}
    )

    def clean_tags(self) -> list[str]:
        """The tags between the commas, in lower case, each once."""
        typed = (" ".join(tag.split()).lower() for tag in self.cleaned_data["tags"].split(","))
        tags = list(dict.fromkeys(filter(None, typed)))
        for tag in tags:
            if len(tag) > TAG_LENGTH:
                raise ValidationError(
                    _("The tag “%(tag)s” has %(length)d characters; %(most)d are allowed."),
                    params={"tag": tag, "length": len(tag), "most": TAG_LENGTH},
                )
        if len(tags) > TAGS:
            raise ValidationError(
                _("These are %(count)d tags; %(most)d are allowed."),
                params={"count": len(tags), "most": TAGS},
            )
        return tags


class AppearanceForm(forms.Form):
    theme = forms.ChoiceField(
        required=False,
        choices=Theme.choices,
        error_messages={
            "invalid_choice": _(
                "There are no colours called “%(value)s”: choose one of those below."
            )
        },
    )


def languages() -> list[tuple[str, str]]:
    """The offered ones, each called as those call it who speak it; "" leaves it to the browser."""
    own_names = [(code, str(LANG_INFO[code]["name_local"])) for code, _name in settings.LANGUAGES]
    return [("", str(_("As the browser asks"))), *own_names]


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        required=False,
        choices=languages,
        error_messages={
            "invalid_choice": _(
                "This site does not speak “%(value)s”: choose one of the languages below."
            )
        },
    )


class TimeForm(forms.Form):
    time_zone = forms.CharField(
        required=False,
        max_length=64,
        error_messages={
            "max_length": _("There is no time zone with such a name: choose one of the list."),
            "null_characters_not_allowed": NUL,
        },
    )

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"])
        if name and name not in zones.names():
            words = _("There is no time zone “%(name)s”: choose one of the list.")
            raise ValidationError(words, params={"name": name})
        return name
