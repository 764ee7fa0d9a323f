r"""Formulas in Markdown: LaTeX between `$`, `$$`, `\(` or `\[`, as MathML that browsers draw themselves.

What latex2mathml makes is rebuilt from a list of harmless tags and attributes: its own text is not
escaped, and `\href` gives any address.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

LONGEST = 1000  # characters of a formula
MOST = 100  # formulas in one text; more stay as they were typed

INLINE = (
    ("$$", "$$", True),
    (r"\[", r"\]", True),
    (r"\(", r"\)", False),
    ("$", "$", False),
)
FENCES = {"$$": "$$", r"\[": r"\]"}  # alone on a line, with the formula on those between
TAGS = {
    "math", "menclose", "merror", "mfenced", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover",
    "mpadded", "mphantom", "mprescripts", "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup",
    "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "none",
}  # fmt: skip
ATTRIBUTES = {
    "accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth", "display",
    "displaystyle", "fence", "form", "height", "largeop", "linethickness", "lspace", "mathsize",
    "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowlines", "rowspacing", "rspace",
    "scriptlevel", "separator", "stretchy", "symmetric", "voffset", "width",
}  # fmt: skip
PLAIN = re.compile(r"[\w .%+-]{0,40}")


def mathml(latex: str, *, block: bool) -> str:
    """The formula as a `<math>` element; as code where it is none, or too long."""
    from latex2mathml.converter import convert_to_element

    source = latex.strip()
    if len(source) <= LONGEST:
        try:
            root = convert_to_element(source, display="block" if block else "inline")
            return _written(root, alttext=source)
        except Exception:  # noqa: BLE001, S110  # it raises anything, on what is no LaTeX and on much nesting
            pass
    return f"<code>{escape(source)}</code>"


def enable(parser: MarkdownIt) -> MarkdownIt:
    """Lets the parser see formulas: tokens "math", whose `meta` says whether they stand alone."""
    parser.inline.ruler.before("escape", "math", _inline)
    parser.block.ruler.before(
        "fence", "math", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    return parser


def _written(element: Element, **added: str) -> str:
    tag = element.tag.rpartition("}")[2]
    inside = escape(unescape(element.text or "")) + "".join(map(_written, element))
    if tag not in TAGS:
        return f"<mrow>{inside}</mrow>"
    kept = {name: value for name, value in element.items() if _is_harmless(name, value)}
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in (kept | added).items())
    return f"<{tag}{attributes}>{inside}</{tag}>"


def _is_harmless(name: str, value: str) -> bool:
    return name in ATTRIBUTES and PLAIN.fullmatch(value) is not None


def _inline(state: StateInline, silent: bool) -> bool:
    found = next((one for one in INLINE if state.src.startswith(one[0], state.pos)), None)
    if found is None:
        return False
    opening, closing, block = found
    start = state.pos + len(opening)
    end = state.src.find(closing, start, min(state.posMax, start + LONGEST + 1))
    if end < 0 or not _is_formula(state.src, opening, start, end):
        return False
    if not silent:
        _push(state, state.src[start:end], block)
    state.pos = end + len(closing)
    return True


def _is_formula(text: str, opening: str, start: int, end: int) -> bool:
    """Prices are none: a `$` has no space inside, and no digit follows the second."""
    formula = text[start:end]
    if opening != "$":
        return bool(formula.strip())
    return bool(formula) and not (
        formula[0].isspace() or formula[-1].isspace() or text[end + 1 : end + 2].isdigit()
    )


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    closing = FENCES.get(_line(state, start_line))
    if closing is None:
        return False
    if silent:
        return True
    last = start_line + 1
    while last < end_line and _line(state, last) != closing:
        last += 1
    formula = state.getLines(start_line + 1, last, state.blkIndent, False)
    state.line = min(last + 1, end_line)
    _push(state, formula, block=True)
    state.tokens[-1].map = [start_line, state.line]
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()


def _push(state: StateInline | StateBlock, formula: str, block: bool) -> None:
    token = state.push("math", "math", 0)
    token.content, token.meta = formula, {"block": block}
