from __future__ import annotations

import pytest
from psycopg.types.json import Jsonb

from performance.queries.fingerprint import fingerprint
from performance.queries.parameters import LARGEST, forget, parameters_of, remember
from performance.queries.statements import Statement

SQL = "SELECT 1 FROM parameters_kept WHERE a = ANY(%s)"


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ([["a" * 100] * 10], 1),
        ([["a" * 1000] * (LARGEST // 1000 + 1)], 0),
        ([Jsonb({"a": ["b" * LARGEST]})], 0),
        ([list(range(LARGEST))], 0),
        ({"a": b"x" * LARGEST}, 0),
        (None, 1),
    ],
)
def test_large_values_are_not_held(params: object, kept: int) -> None:
    forget()
    statement = Statement(SQL, "default", 1, params)
    statement.runs += (1, 1)
    remember(fingerprint(SQL), statement)

    assert len(parameters_of(fingerprint(SQL).id)) == kept
