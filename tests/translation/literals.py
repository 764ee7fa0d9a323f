"""Texts that nobody has marked for translation: what is written out in a template, a script or a view."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from django.template.base import Lexer, TokenType

# Names, and what is the same in every language.
NAMES = {"chatsite", "chat", "site", "Guide", "JSON", "HTML", "Markdown", "PDF", "CSV", "UTC"}
CLASSES = re.compile(r"{% block \w+_class %}.*?{% endblock %}")
WORD = re.compile(r"[A-Za-z]{2,}")
HTML = re.compile(r"<[^>]*>?|[^<]+")
READ_ALOUD = re.compile(r'\b(?:aria-label|placeholder|title|alt)="([^"]*)"')
# What a template holds that is no sentence of the page: code and comments.
SILENT = ("comment", "endcomment"), ("blocktranslate", "endblocktranslate")


def in_template(source: str) -> Iterator[str]:
    """Literal text, and literal attributes that a screen reader reads."""
    # A tag inside of a tag of HTML leaves no trace, so that the rest still parses.
    html = "".join(_outside(source))
    for part in HTML.findall(re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)):
        texts = READ_ALOUD.findall(part) if part.startswith("<") else [part]
        yield from (text.strip() for text in texts if _is_word(text))


def _outside(source: str) -> Iterator[str]:
    end = ""
    for token in Lexer(CLASSES.sub("", source)).tokenize():
        first = token.contents.split()[0] if token.contents.split() else ""
        if token.token_type is TokenType.BLOCK:
            end = "" if first == end else dict(SILENT).get(first, end)
        elif token.token_type is TokenType.TEXT and not end:
            yield token.contents


def in_script(source: str) -> Iterator[str]:
    """Strings of a JavaScript module that look like words for people."""
    code = re.sub(r"^\s*//.*$|(?<=\s)// .*$", "", source, flags=re.MULTILINE)
    for found in re.findall(r'"((?:[^"\\\n]|\\.)*)"', code):
        if re.match(r"[A-Z][a-z]+( [a-z]|…|\.|$)", found) and found not in KEYS:
            yield found


KEYS = {"Enter", "Escape", "Tab", "Shift", "Home", "End", "Space", "Files"}

# Calls whose words a visitor reads.
SAYING = {"ValidationError", "success", "warning", "info", "add_error", "HttpResponse", "Refused"}
SAID = {"label", "help_text", "verbose_name", "error_messages", "empty_label"}


def in_python(source: str) -> Iterator[str]:
    """Plain strings where the words of a form, a message or a refusal belong."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        said = node.args if name in SAYING else []
        said = [*said, *(word.value for word in node.keywords if word.arg in SAID)]
        for one in said:
            yield from _plain(one)


def _plain(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from _plain(value)
    elif isinstance(node, ast.JoinedStr):
        yield ast.unparse(node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        yield node.value


def _is_word(text: str) -> bool:
    return any(word not in NAMES for word in WORD.findall(re.sub(r"&\w+;", "", text)))
