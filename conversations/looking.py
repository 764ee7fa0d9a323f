"""Places in one conversation: where words stand, and what was written on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Func, JSONField, TextField, Value
from django.db.models.functions import Upper

from conversations import windows, zones
from conversations.models import Conversation, Message
from conversations.windows import Anchor

FOUND = 50  # messages on a page
MOST = 20  # places shown of one message
AROUND = 80  # characters shown before and after a match
WHOLE = 2**30  # places: more than any conversation has


# Where the words begin and what stands around each, cut in PostgreSQL: the whole texts never travel, and it
# alone knows where its own upper case found them.
PLACES = """(
    SELECT jsonb_agg(
        jsonb_build_array(at, substr(whole, greatest(at - %(around)d, 1), 2 * %(around)d + size), length(whole))
        ORDER BY at)
    FROM (
        SELECT whole, size, number, count(*) OVER () AS parts,
            (1 + sum(length(part) + size) OVER (ORDER BY number) - size)::int AS at
        FROM (VALUES (%(expressions)s)) AS given (whole, wanted)
        CROSS JOIN LATERAL (SELECT length(wanted) AS size) AS sized
        CROSS JOIN LATERAL unnest(string_to_array(upper(whole), wanted)) WITH ORDINALITY AS cut (part, number)
    ) AS places
    WHERE number < parts AND number <= %(most)d)"""


@dataclass(frozen=True)
class Found:
    """A place that holds the words, cut to `before` + `match` + `after`."""

    message: Message
    before: str
    match: str
    after: str


def find(conversation: Conversation, words: str, before: int | None = None) -> list[Found]:
    """Every place of `words`, in any case, in the newest messages of all versions that hold them.

    At most FOUND messages, older than `before`, and of each the first MOST places.
    """
    holding = conversation.messages.filter(text__icontains=words)
    if before is not None:
        holding = holding.filter(pk__lt=before)
    wanted = Upper(Value(words, TextField()))
    places = Func(
        "text", wanted, template=PLACES, around=AROUND, most=MOST, output_field=JSONField()
    )
    rows: Any = holding.annotate(places=places)
    newest = rows.defer("text", "html").order_by("-pk")[:FOUND]
    return [_found(row, place, len(words)) for row in newest for place in row.places or ()]


def _found(row: Any, place: tuple[int, str, int], length: int) -> Found:
    begins, part, whole = place
    start = max(begins - AROUND, 1)
    at = begins - start
    before = "…" if start > 1 else ""
    after = "…" if start + len(part) <= whole else ""
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
