"""Search in all of a user's messages, of every version: the best of the newest matches first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import BooleanField, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from conversations import spelling, zones
from conversations.models import Message, SearchEntry

if TYPE_CHECKING:
    from django.contrib.auth.models import User

HITS = 20  # on a page
MOST = 200  # matches that are ranked: the newest, so that a word of every message costs no more
PAGES = MOST // HITS

# What a text never holds unless somebody means to; then it marks a word, and nothing else.
_MARKS = "\x02", "\x03"
_MARKED = re.compile("\x02([^\x02\x03]*)\x03")
_HEADLINE = f"StartSel={_MARKS[0]}, StopSel={_MARKS[1]}, MaxFragments=2, MaxWords=28, MinWords=12"

# Marking takes time with the length of the text, so it gets the part around the first match: a stem
# without its last letter is how nearly all of its words begin.
_SNIPPET = """(
SELECT CASE WHEN start > 1 THEN '…' ELSE '' END || ts_headline('english', substr(text, start, 700), {query}, %s)
FROM (SELECT greatest(1, coalesce(min(nullif(strpos(lower(text), left(stem, greatest(3, length(stem) - 1))), 0)), 1) - 120) AS start
    FROM unnest(tsvector_to_array(to_tsvector('english', %s))) stem) AS place
)"""
# The conversation's pages show the branch that was shown last, and of its parents what leads to it.
_SHOWN = """(
WITH RECURSIVE way AS (
    (SELECT id, parent_id, fork, 2147483647 AS last FROM conversations_branch b
        WHERE b.conversation_id = conversations_message.conversation_id
        ORDER BY shown_at DESC, id DESC LIMIT 1)
    UNION ALL
    SELECT p.id, p.parent_id, p.fork, way.fork FROM way JOIN conversations_branch p ON p.id = way.parent_id
)
SELECT EXISTS (SELECT FROM way WHERE id = conversations_message.branch_id AND conversations_message.place <= last)
)"""


# Ranked outside of the LIMIT: in one statement with it PostgreSQL ranks every match before it takes the newest,
# thousands of them for a word that a user often writes.
_RANKED = "SELECT message_id, ts_rank_cd(document, {query}, 1) FROM ({newest}) newest"


class _Query(NamedTuple):
    """Words to search for: as `SearchQuery` takes them, and as the same query in SQL."""

    words: str
    config: str
    kind: str
    sql: str


@dataclass(frozen=True)
class Search:
    """`words` as in search engines: "a phrase", or, -without. `role` is "" for everybody's."""

    words: str
    role: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Hit:
    """A message, and its best parts as (text, is a match) in turn."""

    message: Message
    is_shown: bool
    parts: list[tuple[str, bool]]

    @property
    def marked(self) -> SafeString:
        """The parts as HTML; a template's loop over them would be half of a page of results."""
        shown = ((escape(text), is_match) for text, is_match in self.parts)
        return mark_safe(  # noqa: S308 - escaped above
            "".join(f"<mark>{text}</mark>" if is_match else text for text, is_match in shown)
        )


@dataclass(frozen=True)
class Results:
    """One page. `alike` says that the words were not met, and words like them were looked for."""

    hits: list[Hit] = field(default_factory=list)
    count: int = 0
    alike: bool = False
    all_stop_words: bool = False

    @property
    def is_cut(self) -> bool:
        return self.count == MOST


def search(user: User, wanted: Search, page: int = 1) -> Results:
    """Page 1 to PAGES of what the user's messages hold."""
    exact = _Query(wanted.words, "english", "websearch", "websearch_to_tsquery('english', %s)")
    if ranked := _ranked(user, wanted, exact):
        return _results(ranked, page, exact, wanted.words)
    choices = spelling.choices(user, wanted.words)
    if not all(choices.values()):
        return Results()
    if not choices:
        return Results(all_stop_words=True)
    alike = _Query(_tsquery(choices), "simple", "raw", "to_tsquery('simple', %s)")
    stems = " ".join(stem for each in choices.values() for stem in each)
    found = _results(_ranked(user, wanted, alike), page, alike, stems)
    return replace(found, alike=True)


def _ranked(user: User, wanted: Search, query: _Query) -> list[int]:
    """The numbers of the matching messages, the best first."""
    matching = SearchQuery(query.words, config=query.config, search_type=query.kind)
    entries = _filtered(SearchEntry.objects.filter(user=user, document=matching), wanted)
    newest = entries.order_by("-created_at", "-message_id").only("message_id", "document")[:MOST]
    sql, parameters = newest.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_RANKED.format(newest=sql, query=query.sql), [query.words, *parameters])
        rows = cursor.fetchall()
    return [number for number, _ in sorted(rows, key=lambda row: -row[1])]


def _filtered(entries: QuerySet[SearchEntry], wanted: Search) -> QuerySet[SearchEntry]:
    if wanted.role:
        entries = entries.filter(role=wanted.role)
    if wanted.since:
        entries = entries.filter(created_at__gte=zones.begin(wanted.since))
    if wanted.until:
        entries = entries.filter(created_at__lt=zones.end(wanted.until))
    return entries


def _tsquery(choices: dict[str, list[str]]) -> str:
    """Each word as one of its choices, quoted."""
    return " & ".join(f"({' | '.join(map(_quoted, words))})" for words in choices.values())


def _quoted(stem: str) -> str:
    return "'" + stem.replace("\\", "\\\\").replace("'", "''") + "'"


def _results(ranked: list[int], page: int, query: _Query, words: str) -> Results:
    """That page of them; `words` are what to look for in a text."""
    numbers = ranked[(page - 1) * HITS : page * HITS]
    snippet = RawSQL(  # noqa: S611
        _SNIPPET.format(query=query.sql), [query.words, _HEADLINE, words], TextField()
    )
    rows: Any = Message.objects.filter(pk__in=numbers).select_related("conversation")
    rows = rows.annotate(snippet=snippet, is_shown=_is_shown())
    by_number = {row.pk: row for row in rows.defer("text", "html")}
    found = [by_number[number] for number in numbers if number in by_number]
    hits = [Hit(row, row.is_shown, _parts(row.snippet)) for row in found]
    return Results(hits, len(ranked))


def _is_shown() -> RawSQL:
    return RawSQL(_SHOWN, [], BooleanField())  # noqa: S611


def _parts(snippet: str) -> list[tuple[str, bool]]:
    pieces = _MARKED.split(snippet)
    return [(piece, at % 2 == 1) for at, piece in enumerate(pieces) if piece]
