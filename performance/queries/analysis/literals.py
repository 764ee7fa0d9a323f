"""Taking values out of what is shown: conditions of plans, index predicates of statements."""

from __future__ import annotations

import re

_LITERAL = re.compile(
    r"""
    (?P<name>"(?:[^"]|"")*")                                  # a quoted name stays
    | [EeBbXx]?'(?:[^'\\]|''|\\.)*'(?:::(?:character\ varying|double\ precision|bit\ varying
        |time(?:stamp)?(?:\(\d\))?\ with(?:out)?\ time\ zone|[\w".]+)(?:\(\d+(?:,\d+)?\))?(?:\[\])*)?
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | (?<![\w$.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)
    """,
    re.VERBOSE | re.DOTALL,
)


def without_literals(text: str) -> str:
    """`text` with every string and number as `?`."""
    return _LITERAL.sub(lambda found: found["name"] or "?", text)
