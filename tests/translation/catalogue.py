"""The catalogues in locale/: messages sorted and without the places they come from, so that two changes meet rarely."""

from __future__ import annotations

from pathlib import Path

import polib

from tests.translation.messages import Message
from tests.translation.places import ROOT

LANGUAGES = ("de",)  # beside English, in which the messages are written


def path(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> polib.POFile:
    return polib.pofile(str(path(language)), wrapwidth=100)


def message(entry: polib.POEntry) -> Message:
    return Message(entry.msgid, entry.msgid_plural or "", entry.msgctxt or "")


def renew(language: str, messages: set[Message]) -> list[str]:
    """Writes the .po with exactly these messages, and the .mo of it. Returns what has no translation."""
    catalogue = read(language)
    known = {message(entry): entry for entry in catalogue if not entry.obsolete}
    catalogue.clear()
    for one in sorted(messages, key=lambda one: (one.text.lower(), one)):
        catalogue.append(known.get(one) or _new(one))
    catalogue.save()
    path(language).with_suffix(".mo").write_bytes(compiled(catalogue))
    return [entry.msgid for entry in catalogue if not entry.translated()]


def compiled(catalogue: polib.POFile) -> bytes:
    return bytes(catalogue.to_binary())


def _new(one: Message) -> polib.POEntry:
    entry = polib.POEntry(msgid=one.text, msgctxt=one.context or None)
    if one.plural:
        entry.msgid_plural = one.plural
        entry.msgstr_plural = {0: "", 1: ""}
    if "%(" in one.text:
        entry.flags.append("python-format")
    return entry
