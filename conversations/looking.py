"""Places in one conversation: where words stand, and what was written on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import IntegerField, TextField, Value
from django.db.models.functions import Cast, Greatest, Length, StrIndex, Substr, Upper

from conversations import windows, zones
from conversations.models import Conversation, Message
from conversations.windows import Anchor

FOUND = 50  # places on a page
AROUND = 80  # characters shown before and after a match
WHOLE = 2**30  # places: more than any conversation has


@dataclass(frozen=True)
class Found:
    """A message that holds the words, cut to `before` + `match` + `after`."""

    message: Message
    before: str
    match: str
    after: str


def find(conversation: Conversation, words: str, before: int | None = None) -> list[Found]:
    """The newest messages of all its versions that hold `words`, in any case; older than `before`."""
    wanted = Upper(Value(words, TextField()))
    holding = conversation.messages.filter(text__icontains=words)
    if before is not None:
        holding = holding.filter(pk__lt=before)
    # PostgreSQL alone knows where its own upper case found them.
    at = StrIndex(Upper("text"), wanted)
    rows: Any = holding.annotate(at=at, start=Greatest(at - AROUND, Value(1)))
    rows = rows.annotate(
        part=Substr("text", Cast("start", IntegerField()), 2 * AROUND + len(words)),
        whole=Length("text"),
    )
    newest = rows.defer("text", "html").order_by("-pk")[:FOUND]
    return [_found(row, len(words)) for row in newest]


def _found(row: Any, length: int) -> Found:
    part, at = row.part, row.at - row.start
    before = "…" if row.start > 1 else ""
    after = "…" if row.start + len(part) <= row.whole else ""
    return Found(row, before + part[:at], part[at : at + length], part[at + length :] + after)


def on_day(conversation: Conversation, day: date) -> Message | None:
    """The first message of the shown branch that was written on that day or later."""
    own = Conversation.objects.filter(pk=conversation.pk)
    window = windows.window(windows.with_window(own, Anchor("from", 1), WHOLE).get())
    if window is None:
        return None
    since = zones.begin(day)
    later = conversation.messages.filter(window.holds, created_at__gte=since)
    return later.order_by("created_at", "place").first()
