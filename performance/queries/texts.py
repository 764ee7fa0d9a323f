"""What a cursor was given, as text: Django passes str, raw cursors may pass bytes or psycopg's Composed."""

from __future__ import annotations

from typing import Any


def text_of(sql: Any, cursor: Any) -> str:
    """`sql` as it is sent; `cursor` is Django's wrapper of the one that sends it.

    The repr of a Composed must not be read as SQL: its values are quoted as Python does.
    """
    if isinstance(sql, str):
        return str(sql)
    if isinstance(sql, bytes):
        return sql.decode(errors="replace")
    as_string = getattr(sql, "as_string", None)
    return str(as_string(cursor.cursor) if as_string else sql)
