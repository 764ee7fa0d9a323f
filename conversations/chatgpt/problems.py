"""Why an export could not be read, and what of it was left out, in words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

PROBLEMS = {
    "damaged": _("The file is damaged, or is no export of ChatGPT's."),
    "nothing_inside": _("There is no conversations.json in the zip."),
    "encrypted": _("The zip is protected by a password. Unpack it and import conversations.json."),
    "too_large": _("The file holds more than can be read, or one conversation of it does."),
    "internal": _(
        "Something went wrong on this site. What was taken so far is here; import again."
    ),
}
LEFT = {
    "hidden": _("hidden from the conversation there"),
    "unconnected": _("connected to no beginning"),
    "user_editable_context": _("instructions of your account"),
    "model_editable_context": _("memories of your account"),
}


def explanation(code: str) -> str:
    return str(PROBLEMS.get(code, PROBLEMS["internal"]))


def left(kind: str) -> str:
    """The kind of what was left out; an unknown one by its own name."""
    return str(LEFT.get(kind, kind.replace("_", " ")))
