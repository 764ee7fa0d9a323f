from __future__ import annotations

import pytest

from performance.admin.dashboard import tables
from performance.admin.dashboard.measured import Measured
from tests.performance.admin.dashboard.measurements import (
    counted,
    line,
    measured,
    observed,
    sampled,
)


def test_views_lead_by_what_is_asked() -> None:
    found = measured(
        requests=[
            line([observed(*[0.1] * 100), None, None], view="busy", status="2xx"),
            line([observed(4.0), None, None], view="slow", status="2xx"),
            line([observed(0.5), None, None], view="broken", status="5xx"),
        ],
        database=[line([observed(0.05), None, None], view="busy")],
        statements=[line([observed(2, 4), None, None], view="busy")],
        n_plus_one=[line([counted(3), None, None], view="busy")],
    )

    def order(sort: str) -> list[str]:
        return [row.view for row in tables.views(found, sort)]

    assert order("p95") == ["slow", "broken", "busy"]
    assert order("time") == ["busy", "slow", "broken"]
    assert order("errors") == ["broken", "busy", "slow"]
    assert order("rate")[0] == order("statements")[0] == "busy"
    assert order("planet") == order("p95")
    assert [row.view for row in tables.views(found, "p95", most=1)] == ["slow"]
    busy = tables.views(found, "time")[0]
    assert (busy.rate, busy.database, busy.statements, busy.repeats) == (100 / 180, 0.05, 3, 3)
    assert busy.time == pytest.approx(10 / 14.5)
    assert tables.views(measured()) == []


def test_caches_have_their_rates_and_bytes() -> None:
    found = measured(
        cache_hits=[line([counted(3), None, None], alias="default")],
        cache_misses=[line([counted(1), None, None], alias="default")],
        cache_errors=[line([counted(2), None, None], alias="dead")],
        cache_bytes=[
            line([counted(1000), None, None], alias="default", which="raw"),
            line([counted(400), None, None], alias="default", which="stored"),
        ],
    )
    dead, default = tables.caches(found)
    assert (default.hit_rate, default.ratio, default.errors) == (0.75, 0.4, 0)
    assert (dead.hit_rate, dead.ratio, dead.errors) == (None, None, 2)


def test_levels_are_all_there_with_what_waits_now() -> None:
    tasks = [
        line([observed(1.0), None, None], task="x", level="low", status="failed"),
        line([observed(1.0), None, None], task="x", level="low", status="successful"),
    ]
    lately = measured(queue_length=[line([sampled(0) + sampled(7), None, None], level="low")])
    rows = tables.levels(measured(tasks=tasks), lately)
    assert [row.level for row in rows] == ["critical", "urgent", "high", "normal", "low"]
    assert (rows[4].waiting, rows[4].oldest, rows[4].done, rows[4].failed) == (7, None, 2, 1)
    assert rows[0].waiting is None


def test_tasks_that_fail_come_first() -> None:
    found = measured(
        tasks=[
            line([observed(60.0), None, None], task="long", level="low", status="successful"),
            line([observed(0.1), None, None], task="bad", level="low", status="parked"),
        ]
    )
    assert [(row.task, row.failed) for row in tables.tasks(found)] == [("bad", 1), ("long", 0)]


def test_services_that_are_down_come_first() -> None:
    def up(**services: float) -> Measured:
        lines = [
            line([sampled(value), None, None], service=name) for name, value in services.items()
        ]
        return measured(service_up=lines)

    rows = tables.services(up(database=1, cache=1, queue=1), up(database=1, queue=0))
    assert [(row.service, row.up) for row in rows] == [
        ("queue", False),
        ("cache", None),
        ("database", True),
    ]


def test_backends_and_statements() -> None:
    found = measured(
        replies=[line([observed(2.0), None, None], backend="guide", status="failed")],
        reply_tokens=[line([counted(50), None, None], backend="guide", kind="out")],
        statement_seconds=[
            line([observed(0.1), None, None], kind="insert"),
            line([observed(0.1, 0.3), None, None], kind="select"),
        ],
    )
    (guide,) = tables.backends(found)
    assert (guide.replies, guide.failed, guide.tokens, guide.first_token_p95) == (1, 1, 50, None)
    select, insert = tables.statements(found)
    assert (select.kind, select.count, select.most, insert.kind) == ("select", 2, 0.3, "insert")
