"""A query with its values taken out: one text and one id for all statements that differ in values.

A tokenizer, not a parser: it reads any text without raising, and what it cannot read (a quote that does
not end) goes out as a value. Literals, numbers, placeholders become "?", comments go, lists of IN, ARRAY
and VALUES shrink to one entry; identifiers stay. The text stays valid SQL but for the "?".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

LONG = 20_000
"""Characters from which on lists of plain values are passed over at once, and the id is not kept."""
LONGEST = 262_144
"""Characters that are read beside such lists; the rest of an even longer text does not count."""
STORED = 10_000
"""Characters of the text that are kept."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`id` is signed 64 bits. `kind` is select, insert, update, delete or other; `tables` are the
    names after FROM, JOIN, INTO and UPDATE in order of appearance, without schema and quotes."""

    id: int
    sql: str
    kind: str
    tables: tuple[str, ...]


OTHER = Fingerprint(0, "(other statements)", "other", ())
"""Stands for all that came once the number of fingerprints had reached its limit."""


def fingerprint(sql: str, alias: str = "default") -> Fingerprint:
    """The fingerprint of `sql` on the connection `alias`.

    Of a statement that was asked for lately it costs a dictionary look-up.
    """
    return _cached(sql, alias) if len(sql) <= LONG else _computed(sql, alias)


def normalised(sql: str) -> str:
    """The text of `sql` without its values."""
    text = _collapsed("".join(_pieces(sql))).strip(" ;")
    if text.startswith(_PLAIN) and ";" not in text:
        return text
    for pattern, instead in _UTILITY:
        text = pattern.sub(instead, text, count=1)
    return text


def _computed(sql: str, alias: str = "default") -> Fingerprint:
    text = normalised(sql)
    hashed = text if alias == "default" else f"{alias}\0{text}"
    digest = blake2b(hashed.encode(errors="replace"), digest_size=8).digest()
    kept = text if len(text) <= STORED else f"{text[:STORED]} ..."
    kept = kept.replace("\x00", "").encode(errors="replace").decode()  # for rows and JSON
    # An id of 0 means "other".
    identity = int.from_bytes(digest, signed=True) or 1
    return Fingerprint(identity, kept, _kind(text), _tables(kept))


_cached = lru_cache(maxsize=4096)(_computed)

# Words are tokens too: what begins inside a word (a$b$c, t1) is then no value. PostgreSQL takes every
# character that is not ASCII for a letter. What follows a string without a space is taken out with it.
_LETTER = r"[A-Za-z_\x80-\U0010ffff]"
_LETTERS = r"[\w$\x80-\U0010ffff]*+"
_TAG = rf"(?:{_LETTER}[\w\x80-\U0010ffff]*+)?"
_WORD = rf"""(?: "(?:[^"]|"")*+" | (?![eEbBxXnN]'|[uU]&') {_LETTER}{_LETTERS} )"""
_TOKEN = re.compile(
    rf"""
    (?P<words> {_WORD} (?: [.,=()*<>:[\] ]*+ {_WORD} )*+ )  # in a row at once
  | (?P<value>
        [eE] '(?:[^'\\]|''|\\.)*+' {_LETTERS}      # E'it\'s'
      | (?<=ESCAPE[ ]) '\\'(?!')
      | (?:[bBxXnN]|[uU]&)? '(?:[^'\\]|''|\\(?!'))*+' {_LETTERS}
      | \$(?P<tag>{_TAG})\$ .*? \$(?P=tag)\$       # $tag$...$tag$
      | \$\d\w*+                                   # $1
      | %s | %\(\w+\)s
      | \.?\d (?:[\w.] | (?<=[eE])[+-](?=\d))*+    # 1, 1.5e-3, 0xFF, 1_000
    )
  | (?P<comment> --[^\n\r]* | /\* )
  | (?P<percent> %% )
  | (?P<space> \s{{2,}} | [^\S ] )
  | (?P<rest> ' | " | \$ {_TAG} \$ )               # begins something that does not end
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def _pieces(sql: str) -> list[str]:
    pieces: list[str] = []
    at, end = 0, LONGEST
    while (match := _TOKEN.search(sql, at)) is not None:
        pieces.append(sql[at : match.start()])
        kind, at = match.lastgroup, match.end()
        if kind == "tag":
            kind = "value"
        if kind == "words":
            pieces.append(match[0])
        elif kind == "comment":
            pieces.append(" ")
            at = at if match[0] != "/*" else _end_of_comment(sql, at)
        else:
            pieces.append(_INSTEAD[kind or "rest"])
            if kind == "rest":
                return pieces
            if len(sql) > LONG and (more := _MORE.match(sql, at)) is not None:
                at, end = more.end(), end + len(more[0])
        if at > end:
            return pieces
    pieces.append(sql[at:end])
    return pieces


_INSTEAD = {"value": "?", "percent": "%", "space": " ", "rest": "?"}


def _end_of_comment(sql: str, at: int) -> int:
    """Where a comment that began before `at` ends; PostgreSQL's nest."""
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(sql, at)
        if edge is None:
            return len(sql)
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return at


_SIMPLE = r"(?:-?\d[\w.]*+|'(?:[^'\\]|'')*+'|%s|\$\d++|\?)"
_MORE = re.compile(rf"(?:\s*+,\s*+{_SIMPLE}(?=\s*+[,)\]])){{9,}}+")
"""After a value: the rest of a long list. It is looked for where a value has ended, never in a string."""

_GROUP = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
_COLLAPSES = [  # a sign without which there is nothing to do, what, by what
    ("  ", re.compile(r" {2,}"), " "),
    ("( ", re.compile(r"\( "), "("),
    (" ", re.compile(r" (?=[),;])"), ""),
    (",", re.compile(r",(?=\S)"), ", "),
    ("?", re.compile(r"([=(,<>\[] ?)[-+] ?\?"), r"\1?"),
    (
        ", ?",
        re.compile(r"(\bIN ?\(|\bARRAY ?\[)(\?(?:::[\w\[\]]+)?)(?:, \2)+", re.IGNORECASE),
        r"\1\2",
    ),
    ("), (", re.compile(rf"({_GROUP})(?:, \1)+"), r"\1"),
]


def _collapsed(text: str) -> str:
    for sign, pattern, instead in _COLLAPSES:
        if sign in text:
            text = pattern.sub(instead, text)
    return text


_PLAIN = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ")
_BEGINS = r"((?:^|;)[; ]*"  # of one of several statements
_SET = r"SET [^;=]*?(?:=|\bTO\b)"
_SET_PLAIN = (
    r"SET (?:LOCAL |SESSION )?(?:TIME ZONE|ROLE|SESSION AUTHORIZATION|NAMES|SCHEMA) "  # no sign
)
_OWNER = r"(?:ROLE|USER|DATABASE|SYSTEM|FUNCTION|PROCEDURE|ROUTINE)\b"
_UTILITY = [
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), instead)
    for pattern, instead in (
        (rf"{_BEGINS}(?:RELEASE |ROLLBACK TO )?SAVEPOINT) .*", r"\1 ?"),
        (rf"{_BEGINS}{_SET}).*", r"\1 ?"),
        (rf"{_BEGINS}{_SET_PLAIN}).*", r"\1?"),
        (rf"{_BEGINS}(?:ALTER|CREATE) (?:OR REPLACE )?{_OWNER}[^;]*? {_SET}).*", r"\1 ?"),
        (r"(\bCOPY [^;]*\bFROM STDIN\b[^;]*;).*", r"\1 ?"),  # its rows may follow
        (r"\"?_django_curs_\w+\"?", "_django_curs"),
    )
]

_FIRST = re.compile(r"[\s(]*(\w+)")
_KINDS = {"SELECT": "select", "INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}
_KINDS |= {"VALUES": "select", "TABLE": "select", "MERGE": "update"}
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\b", re.IGNORECASE)


def _kind(text: str) -> str:
    match = _FIRST.match(text)
    word = match[1].upper() if match else ""
    if word == "WITH":
        write = _WRITES.search(text)
        word = write[1].split()[0].upper() if write else "SELECT"
    elif word == "DECLARE":
        word = "SELECT"
    return _KINDS.get(word, "other")


_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*+)'
_FULL = rf"(?:{_NAME}\.)*+{_NAME}"
_TABLE = re.compile(
    rf"(?<!DISTINCT )\b(?:(?:INTO|COPY|TABLE) ({_FULL})"
    rf"|(?:FROM|JOIN|UPDATE|TRUNCATE)(?: ONLY| LATERAL)* "
    rf"({_FULL})(?! ?\()(?:(?: AS)? {_NAME})?((?:, {_FULL})*))",
    re.IGNORECASE,
)
_FROM_OF_FUNCTIONS = re.compile(
    r"\b(?:EXTRACT ?\( ?\w+|SUBSTRING ?\([^()]*|TRIM ?\([^()]*|OVERLAY ?\([^()]*) FROM ",
    re.IGNORECASE,
)
_CTE = re.compile(
    rf"(?:\bWITH(?: RECURSIVE)?|,) ({_NAME})(?: ?\([^()]*\))? AS (?:(?:NOT )?MATERIALIZED )?\(",
    re.IGNORECASE,
)
_CTE_BEGINS = re.compile(r"[\s(]*(?:DECLARE .* FOR )?WITH |INSERT |CREATE ", re.IGNORECASE)
_KEYWORDS = {
    "select",
    "set",
    "where",
    "if",
    "exists",
    "values",
    "only",
    "skip",
    "nowait",
    "of",
    "stdin",
    "stdout",
}


def _tables(text: str) -> tuple[str, ...]:
    made = {_bare(name) for name in _CTE.findall(text)} if _CTE_BEGINS.match(text) else set()
    found: dict[str, None] = {}
    for match in _TABLE.finditer(_FROM_OF_FUNCTIONS.sub("(", text)):
        for name in filter(None, [match[1], match[2], *(match[3] or "").split(", ")]):
            bare = _bare(name)
            if bare not in made and bare.lower() not in _KEYWORDS:
                found[bare] = None
    return tuple(found)


def _bare(name: str) -> str:
    """Without schema and quotes."""
    last: str = re.findall(_NAME, name)[-1]
    return last[1:-1].replace('""', '"') if last.startswith('"') else last
