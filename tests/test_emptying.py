"""A test that commits leaves the tables as they were before the first one."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from performance.models import Alert, AlertRule
from tests.emptying import rows_of
from tests.factories import ConversationFactory


def everything() -> dict[str, str]:
    tables = connection.introspection.django_table_names(only_existing=True)
    return {table: rows for table in tables if (rows := rows_of(table))}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reset", [False, True], ids=["delete", "truncate"])
def test_what_was_there_is_there_again_and_nothing_else(reset: bool) -> None:
    before = everything()
    assert {"performance_alertrule", "performance_alertrule_inhibited_by"} <= set(before)
    ConversationFactory()
    AlertRule.objects.all()[1].delete()
    AlertRule.objects.update(threshold=4711)
    assert everything() != before

    call_command("flush", interactive=False, verbosity=0, reset_sequences=reset)

    assert everything() == before
    assert not Alert.objects.exists()
