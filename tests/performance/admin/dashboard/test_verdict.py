from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from performance.admin.dashboard.tables import ServiceRow
from performance.admin.dashboard.verdict import verdict


def alert(severity: str, state: str = "firing") -> Any:
    return SimpleNamespace(severity=severity, state=state)


def service(name: str, *, up: bool | None) -> ServiceRow:
    return ServiceRow(service=name, up=up, answered=None, p95=None)


@pytest.mark.parametrize(
    ("alerts", "services", "known", "tone", "sentence"),
    [
        ([], [], True, "good", "No alert fires."),
        ([], [service("cache", up=True)], True, "good", "No alert fires. 1 service answers."),
        ([alert("info", "pending")], [], True, "good", "1 pending, nothing fires."),
        ([], [], False, "unknown", "Nothing was measured in the last minute, so nobody can say that all is well."),
        ([alert("warning")], [], True, "warn", "1 alert fires, 1 not acknowledged."),
        ([alert("critical", "acknowledged")], [], True, "bad", "1 alert fires, all acknowledged."),
        ([alert("info"), alert("critical")], [], False, "bad", "2 alerts fire, 2 not acknowledged."),
        ([], [service("cache", up=False), service("queue", up=None)], True, "bad", "cache does not answer."),
        ([alert("info")], [service("a", up=False), service("b", up=False)], True, "bad", "1 alert fires, 1 not acknowledged. a, b do not answer."),
    ],
)  # fmt: skip
def test_the_worst_is_said(
    alerts: list[Any], services: list[Any], known: bool, tone: str, sentence: str
) -> None:
    found = verdict(alerts, services, known=known)
    assert (found.tone, found.sentence) == (tone, sentence)
    assert found.mark
