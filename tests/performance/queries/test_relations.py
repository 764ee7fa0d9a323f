from __future__ import annotations

import pytest

from performance.queries.relations import remedy_for_rows


@pytest.mark.parametrize(
    ("field", "remedy"),
    [
        ("admin.LogEntry.user", 'Add select_related("user") to the query of LogEntry.'),
        (
            "auth.User.email",
            "Load User.email with its rows: it is deferred by only() or defer().",
        ),
        # A reverse accessor whose query name is another; a model that no app has.
        ("auth.User.accessor", 'Add select_related("accessor") to the query of User.'),
        ("gone.Model.field", 'Add select_related("field") to the query of Model.'),
    ],
)
def test_the_remedy_names_what_was_accessed(field: str, remedy: str) -> None:
    assert remedy_for_rows("", ("", ""), field, []) == remedy
