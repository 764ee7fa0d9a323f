"""The messages of the site's sources, as gettext's tools would find them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from django.template.base import Lexer, Token, TokenType
from django.utils.translation import trim_whitespace

from tests.translation import places

# Which arguments of a call are context, singular and plural.
CALLS = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\''
CONSTANT = re.compile(rf"_\(({QUOTED})\)")


class Message(NamedTuple):
    """`plural` and `context` are "" where there are none."""

    text: str
    plural: str = ""
    context: str = ""


def found() -> set[Message]:
    """All of the site's messages."""
    messages = {message for path in places.python() for message in of_python(path.read_text())}
    for path in places.templates():
        messages |= set(of_template(path.read_text()))
    return messages


def of_python(source: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_call(call: ast.Call) -> Iterator[Message]:
    function = call.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if name not in CALLS:
        return
    context, text, plural = ("" if at is None else _string(call.args[at]) for at in CALLS[name])
    if text is not None:  # a message that a variable holds is marked where it is written
        assert plural is not None, ast.unparse(call)
        assert context is not None, ast.unparse(call)
        yield Message(text, plural, context)


def _string(node: ast.expr) -> str | None:
    assert not isinstance(node, ast.JoinedStr), ast.unparse(node)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def of_template(source: str) -> Iterator[Message]:
    tokens = iter(Lexer(source).tokenize())
    for token in tokens:
        words = token.split_contents() if token.token_type is TokenType.BLOCK else [""]
        if words[0] in ("translate", "trans"):
            yield from _of_tag(words)
        elif words[0] in ("blocktranslate", "blocktrans"):
            yield _of_block(words, tokens)
        if token.token_type in (TokenType.BLOCK, TokenType.VAR):
            for constant in CONSTANT.findall(token.contents):
                yield Message(_escaped(constant[1:-1]))


def _of_tag(words: list[str]) -> Iterator[Message]:
    if words[1][0] in "\"'":
        yield Message(_escaped(words[1][1:-1]), context=_context(words))


def _of_block(words: list[str], tokens: Iterator[Token]) -> Message:
    parts = {"": "", "plural": ""}
    at = ""
    for token in tokens:
        if token.contents.strip() in ("endblocktranslate", "endblocktrans"):
            break
        if token.token_type is TokenType.BLOCK:
            at = token.contents.strip()
        else:
            parts[at] += _in_block(token)
    text, plural = parts.values()
    if "trimmed" in words:
        text, plural = trim_whitespace(text), trim_whitespace(plural)
    return Message(text, plural, _context(words))


def _in_block(token: Token) -> str:
    if token.token_type is TokenType.VAR:
        return f"%({token.contents.partition('|')[0]})s"
    return _escaped(token.contents)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _context(words: list[str]) -> str:
    return words[words.index("context") + 1][1:-1] if "context" in words else ""
