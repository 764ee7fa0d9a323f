from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_the_columns_type_is_the_limit(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (id serial)")
    assert find("sequence_near_end") == []

    admin.execute("SELECT setval('t_id_seq', 2000000000)")
    (found,) = find("sequence_near_end")
    assert (found.severity, found.about) == ("critical", "public.t_id_seq")
    assert "t.id" in found.said


def test_bigints_have_room(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (id bigserial)")
    admin.execute("SELECT setval('t_id_seq', 2000000000)")

    assert find("sequence_near_end") == []
