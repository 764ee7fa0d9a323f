from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from django.db import connection
from opentelemetry.sdk.trace import TracerProvider
from psycopg import sql

from chatsite.tracing.sql import _traced
from performance import tracing

CANARY = "it's a canary"


class _Kept:
    """Keeps what spans are opened with."""

    def __init__(self) -> None:
        self.attributes: list[tracing.Attributes] = []

    def span(
        self, name: str, kind: tracing.Kind, attributes: tracing.Attributes, parent: str
    ) -> AbstractContextManager[Any]:
        self.attributes.append(attributes)
        return nullcontext()


@pytest.fixture
def kept() -> Iterator[_Kept]:
    kept = _Kept()
    tracing.use(kept)
    with TracerProvider().get_tracer("test").start_as_current_span("test"):
        yield kept
    tracing.use(None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'it''s a canary'",
        b"SELECT 'it''s a canary'",
        sql.SQL("SELECT {}").format(sql.Literal(CANARY)),
    ],
)
def test_a_span_has_the_statement_without_its_values(kept: _Kept, statement: Any) -> None:
    with connection.execute_wrapper(_traced), connection.cursor() as cursor:
        cursor.execute(statement)
        (found,) = cursor.fetchone()

    assert found == CANARY
    assert [one["db.query.text"] for one in kept.attributes] == ["SELECT ?"]
