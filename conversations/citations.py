"""Citations of attached files in an answer, [report.pdf, p. 3, l. 12], as links to that line.

The link is relative to the conversation's page, which knows its files by name; so what is rendered depends
on the text alone, and a name that is no file of the conversation leads to a page that says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline

CITATION = re.compile(
    r"\[(?P<file>[^\[\]\n]{1,120}?\.\w{1,10})"
    r"(?:, ?p\. ?(?P<page>\d{1,6})(?:[-–]\d{1,6})?)?(?:, ?l\. ?(?P<line>\d{1,9})(?:[-–]\d{1,9})?)?\](?![(\[:])"  # noqa: RUF001
)


LINK = re.compile(r'<a href="cited/\?[^"]*"[^>]*>(.*?)</a>')


def citation(name: str, page: int | None, line: int) -> str:
    """How a place is cited; `page` is None for files without pages."""
    return f"[{name}, p. {page}, l. {line}]" if page else f"[{name}, l. {line}]"


def unlinked(html: str) -> str:
    """Rendered text with its citations as words: for readers who may not see the files."""
    return LINK.sub(r"\1", html)


def enable(parser: MarkdownIt) -> MarkdownIt:
    parser.inline.ruler.before("link", "citation", _link)
    return parser


def _link(state: StateInline, silent: bool) -> bool:  # as markdown-it calls it
    if state.src[state.pos] != "[":
        return False
    found = CITATION.match(state.src, state.pos, state.posMax)
    if not found or not (found["page"] or found["line"]):
        return False
    if not silent:
        wanted = {name: value for name, value in found.groupdict().items() if value}
        opened = state.push("link_open", "a", 1)
        opened.attrs = {"href": f"cited/?{urlencode(wanted)}"}
        state.push("text", "", 0).content = found[0]
        state.push("link_close", "a", -1)
    state.pos = found.end()
    return True
