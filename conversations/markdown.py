"""Markdown to safe HTML, once, on the server.

Raw HTML is off, images are links (a remote image tells its host what the reader reads), and the
result is sanitised; formulas are put in after that, built of their own list of tags. Input is capped by its callers: the sanitiser is quadratic in nesting.

The parser and the sanitiser are imported with the first text: a process that only shows what is stored
does without their memory.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from conversations import citations, maths

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

# Stored with each message. Raise it when the HTML changes, so that old rows can be rendered anew.
RENDERER = 3

TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "ol": {"start"},
    "td": {"class"},
    "th": {"class"},
}
SCHEMES = {"http", "https", "mailto"}
PAGE_HEADINGS = 2  # the page has its own h1 and h2


def _fit_the_page(state: StateCore) -> None:
    """Answers begin at h3, and columns are aligned by class, since the CSP forbids style attributes."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + PAGE_HEADINGS)}"
        style = token.attrs.pop("style", "")
        if isinstance(style, str) and style.startswith("text-align:"):
            token.attrSet("class", f"align-{style.removeprefix('text-align:')}")


@cache
def _parser(*, breaks: bool, linkify: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "linkify": linkify, "breaks": breaks})
    parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    if linkify:
        parser.enable("linkify")
    parser.core.ruler.push("fit_the_page", _fit_the_page)
    parser.add_render_rule("math", _hold)
    return citations.enable(maths.enable(parser))


def _hold(
    _renderer: object, tokens: Sequence[Token], index: int, _options: object, env: dict[str, Any]
) -> str:
    """A word that nobody can guess stands for the formula until the rest is sanitised."""
    token, formulas = tokens[index], env["formulas"]
    if len(formulas) >= maths.MOST:
        return escape(token.content)
    word = f"{env['secret']}{len(formulas)}."
    formulas[word] = maths.mathml(token.content, block=token.meta["block"])
    return f"<p>{word}</p>" if token.block else word


@cache
def _blocks() -> MarkdownIt:
    uncached = _parser.__wrapped__
    found: MarkdownIt = uncached(breaks=False, linkify=False).disable("inline")
    return found


# Finding bare addresses takes time quadratic in the length of a run without spaces.
LONG_RUN = re.compile(r"\S{2000}")
LONGEST_BLOCK = 20_000  # of a growing text; a longer one is closed at its end
LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+$")  # as Markdown ends them, unlike splitlines()


def render(text: str, *, breaks: bool = False) -> str:
    """The HTML of `text`; with `breaks`, a single line break stays one, as people type them."""
    import nh3

    parser = _parser(breaks=breaks, linkify=LONG_RUN.search(text) is None)
    formulas: dict[str, str] = {}
    secret = secrets.token_hex(8)
    html = nh3.clean(
        parser.render(text, {"formulas": formulas, "secret": secret}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="nofollow noopener noreferrer",
    )
    return re.sub(rf"{secret}\d+\.", lambda word: formulas[word[0]], html) if formulas else html


def closed_until(text: str) -> int:
    """How many characters of a growing `text` are whole blocks that no later text can change."""
    if len(text) > LONGEST_BLOCK:
        return 0
    starts = [token.map[0] for token in _blocks().parse(text) if token.level == 0 and token.map]
    if not starts or not starts[-1]:
        return 0
    return sum(len(line) for line in LINE.findall(text)[: starts[-1]])
