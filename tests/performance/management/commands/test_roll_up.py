from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from tests.performance.metrics.settings import with_metrics

pytestmark = pytest.mark.django_db


def test_it_tells_what_it_did() -> None:
    out = StringIO()
    call_command("roll_up", "--format", "json", stdout=out, stderr=StringIO())
    assert set(json.loads(out.getvalue())) == {"minutes", "minute_rows", "hour_rows", "busy"}


def test_without_redis_it_says_so() -> None:
    with (
        override_settings(PERFORMANCE=with_metrics(LOCATION="redis://127.0.0.1:1/0")),
        pytest.raises(
            CommandError, match=r"^Redis does not answer \(ConnectionError\)\.$"
        ) as raised,
    ):
        call_command("roll_up", stdout=StringIO(), stderr=StringIO())
    assert raised.value.returncode == 2


def test_without_tables_it_says_what_to_do() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE performance_metricbucket RENAME TO elsewhere")
    with pytest.raises(CommandError, match=r"\(UndefinedTable\): run manage.py migrate") as raised:
        call_command("roll_up", stdout=StringIO(), stderr=StringIO())
    assert raised.value.returncode == 2
    assert "SELECT" not in str(raised.value)
