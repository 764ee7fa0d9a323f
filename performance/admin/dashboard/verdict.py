"""One sentence for whoever was just woken up: what is wrong, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from performance.admin.dashboard.tables import ServiceRow

Tone = Literal["good", "warn", "bad", "unknown"]
MARKS: dict[Tone, str] = {"good": "✔", "warn": "▲", "bad": "✖", "unknown": "?"}


class Open(Protocol):
    """An alert that is not resolved."""

    severity: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    tone: Tone
    sentence: str

    @property
    def mark(self) -> str:
        return MARKS[self.tone]


def verdict(alerts: Sequence[Open], services: Sequence[ServiceRow], *, known: bool) -> Verdict:
    """The worst of what is the case; `known`: something was measured lately."""
    firing = [alert for alert in alerts if alert.state != "pending"]
    down = [row.service for row in services if row.up is False]
    parts = [*_alerts(firing), *_down(down)]
    if parts:
        bad = bool(down) or any(alert.severity == "critical" for alert in firing)
        return Verdict(tone="bad" if bad else "warn", sentence=" ".join(parts))
    if not known:
        return Verdict(
            tone="unknown",
            sentence="Nothing was measured in the last minute, so nobody can say that all is well.",
        )
    return Verdict(tone="good", sentence=_well(len(alerts), len(services)))


def _alerts(firing: Sequence[Open]) -> list[str]:
    if not firing:
        return []
    new = sum(alert.state == "firing" for alert in firing)
    noun = "alert fires" if len(firing) == 1 else "alerts fire"
    taken = "all acknowledged" if not new else f"{new} not acknowledged"
    return [f"{len(firing)} {noun}, {taken}."]


def _down(services: Sequence[str]) -> list[str]:
    if not services:
        return []
    verb = "does" if len(services) == 1 else "do"
    return [f"{', '.join(services)} {verb} not answer."]


def _well(pending: int, services: int) -> str:
    first = f"{pending} pending, nothing fires." if pending else "No alert fires."
    noun = "service answers" if services == 1 else "services answer"
    return f"{first} {services} {noun}." if services else first
