"""Taking values out of what is shown: conditions of plans, index predicates of statements."""

from __future__ import annotations

import re

_LITERAL = re.compile(
    r"""
    (?P<name>"(?:[^"]|"")*")                                  # a quoted name stays
    # A backslash escapes in E'' alone; a text that was cut short ends within a value.
    | (?:[Ee]'(?:[^'\\]|''|\\.)*(?:'|\Z) | (?:[BbXxNn]|[Uu]&)?'(?:[^']|'')*(?:'|\Z))(?:::(?:character\ varying|double\ precision|bit\ varying
        |time(?:stamp)?(?:\(\d\))?\ with(?:out)?\ time\ zone|[\w".]+)(?:\(\d+(?:,\d+)?\))?(?:\[\])*)?
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | (?<![\w$.])\.?\d(?:[\w.]|(?<=[eE])[+-](?=\d))*
    """,
    re.VERBOSE | re.DOTALL,
)


def without_literals(text: str) -> str:
    """`text` with every string and number as `?`."""
    return _LITERAL.sub(lambda found: found["name"] or "?", text)
