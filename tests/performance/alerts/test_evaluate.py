"""The life of an alert, over simulated time alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from performance.alerts.evaluate import Episode, Kind, Terms, Verdict, judge, step
from performance.models.alert_rules import Comparison, NoData
from performance.models.alerts import Cause, State

START = datetime(2026, 1, 1, tzinfo=UTC)
ABOVE = Terms(
    comparison=Comparison.ABOVE,
    threshold=10,
    resolve_threshold=8,
    hold=timedelta(seconds=60),
    keep_firing=timedelta(seconds=30),
)
HIGH, MIDDLE, LOW = 11.0, 9.0, 7.0


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def live(values: list[tuple[float, float | None]], terms: Terms = ABOVE) -> list[Any]:
    """What happens when each (second, value) is evaluated in turn; events and their seconds."""
    episode, seen = None, []
    for second, value in values:
        episode, events = step(episode, value, after(second), terms)
        seen += [(second, event.value) for event in events]
    return seen


LIVES = {
    "fine": ([(0, LOW), (10, MIDDLE), (20, None)], []),
    "a threat that does not last": (
        [(0, HIGH), (30, HIGH), (40, MIDDLE)],
        [(0, "pending"), (40, "lapsed")],
    ),
    "it must hold": (
        [(0, HIGH), (59, HIGH), (60, HIGH)],
        [(0, "pending"), (60, "fired")],
    ),
    "a threat between the evaluations of which nothing is known": (
        [(0, HIGH), (30, None), (60, HIGH)],
        [(0, "pending"), (60, "fired")],
    ),
    "it never fires on no data": ([(0, HIGH), (60, None), (90, None)], [(0, "pending")]),
    "between the thresholds nothing changes": (
        [(0, HIGH), (60, HIGH), (70, MIDDLE), (500, MIDDLE)],
        [(0, "pending"), (60, "fired")],
    ),
    "it must stay fine": (
        [(0, HIGH), (60, HIGH), (70, LOW), (90, MIDDLE), (100, LOW), (129, LOW), (130, LOW)],
        [(0, "pending"), (60, "fired"), (130, "resolved")],
    ),
    "it fires again": (
        [(0, HIGH), (60, HIGH), (70, LOW), (100, LOW), (200, HIGH), (260, HIGH)],
        [(0, "pending"), (60, "fired"), (100, "resolved"), (200, "pending"), (260, "reopened")],
    ),
    "it only threatens to fire again": (
        [(0, HIGH), (60, HIGH), (70, LOW), (100, LOW), (200, HIGH), (210, LOW), (1001, HIGH)],
        [
            *[(0, "pending"), (60, "fired"), (100, "resolved"), (200, "pending"), (210, "lapsed")],
            (1001, "pending"),
        ],
    ),
    "no data for a day": (
        [(0, HIGH), (60, HIGH), (86_459, None), (86_460, None)],
        [(0, "pending"), (60, "fired"), (86_460, "expired")],
    ),
}


@pytest.mark.parametrize("name", LIVES)
def test_lives(name: str) -> None:
    values, expected = LIVES[name]

    assert live(values) == expected


def test_an_episode_older_than_the_time_to_reopen_is_left_alone() -> None:
    resolved = Episode(
        state=State.RESOLVED, began_at=START, seen_at=START, fired_at=START, resolved_at=START
    )

    episode, events = step(resolved, HIGH, after(901), ABOVE)

    assert events == (Kind.PENDING,)
    assert episode
    assert episode.fired_at is None
    assert episode.flaps == 0


def test_a_flap_is_counted() -> None:
    resolved = Episode(
        state=State.RESOLVED, began_at=START, seen_at=START, fired_at=START, resolved_at=START
    )

    episode, events = step(resolved, HIGH, after(900), replace(ABOVE, hold=timedelta(0)))

    assert events == (Kind.PENDING, Kind.REOPENED)
    assert episode
    assert (episode.state, episode.flaps, episode.resolved_at) == (State.FIRING, 1, None)


@pytest.mark.parametrize(
    ("comparison", "resolves", "value", "verdict"),
    [
        ("gt", 8, 10, Verdict.BETWEEN),
        ("gt", 8, 10.1, Verdict.BEYOND),
        ("gt", 8, 8, Verdict.FINE),
        ("ge", 8, 10, Verdict.BEYOND),
        ("ge", 8, 8, Verdict.BETWEEN),
        ("lt", 12, 9.9, Verdict.BEYOND),
        ("lt", 12, 11, Verdict.BETWEEN),
        ("lt", 12, 12, Verdict.FINE),
        ("le", 10, 10, Verdict.BEYOND),
        ("le", 10, 10.1, Verdict.FINE),
        ("gt", 8, None, Verdict.UNKNOWN),
    ],
)
def test_judge(comparison: str, resolves: float, value: float | None, verdict: Verdict) -> None:
    terms = replace(ABOVE, comparison=Comparison(comparison), resolve_threshold=resolves)

    assert judge(value, terms) is verdict


def test_no_data_can_be_an_alert() -> None:
    terms = replace(ABOVE, no_data=NoData.ALERT, hold=timedelta(0))

    episode, events = step(None, None, START, terms)

    assert events == (Kind.PENDING, Kind.FIRED)
    assert episode
    assert (episode.cause, episode.value) == (Cause.NO_DATA, None)


def test_no_data_can_be_fine() -> None:
    terms = replace(ABOVE, no_data=NoData.OK)

    assert live([(0, HIGH), (60, HIGH), (70, None), (100, None)], terms)[-1] == (100, "resolved")


def test_a_clock_set_back_delays_nothing() -> None:
    episode, _ = step(None, HIGH, after(3600), ABOVE)
    episode, _ = step(episode, HIGH, after(0), ABOVE)

    _, events = step(episode, HIGH, after(60), ABOVE)

    assert events == (Kind.FIRED,)


def test_an_acknowledged_alert_stays_so_until_it_resolves() -> None:
    acknowledged = Episode(
        state=State.ACKNOWLEDGED, began_at=START, seen_at=START, fired_at=START, value=HIGH
    )

    still, _ = step(acknowledged, HIGH, after(10), ABOVE)
    recovering, _ = step(still, LOW, after(20), ABOVE)
    resolved, events = step(recovering, LOW, after(50), ABOVE)

    assert still
    assert still.state == State.ACKNOWLEDGED
    assert resolved
    assert (resolved.state, events) == (State.RESOLVED, (Kind.RESOLVED,))


def test_the_worst_value_is_kept() -> None:
    below = replace(ABOVE, comparison=Comparison.BELOW, resolve_threshold=12)
    episode, _ = step(None, 5, START, below)
    episode, _ = step(episode, 2, after(10), below)
    episode, _ = step(episode, 9, after(20), below)

    assert episode
    assert (episode.value, episode.peak) == (9, 2)


@given(value=st.floats(allow_nan=True), threshold=st.floats(allow_nan=False))
@settings(max_examples=50, deadline=None)
def test_any_number_has_a_verdict(value: float, threshold: float) -> None:
    judge(value, replace(ABOVE, threshold=threshold, resolve_threshold=threshold))


@dataclass
class Model:
    """The promise in its plainest form: which evaluations were beyond, and since when."""

    beyond_since: int | None = None
    fine_since: int | None = None
    firing: bool = False
    ended: int | None = None
    flaps: int = 0

    def see(self, value: float | None, now: int) -> None:
        if value is None:
            return
        self.beyond_since = (
            (now if self.beyond_since is None else self.beyond_since) if value > 10 else None
        )
        self.fine_since = (
            (now if self.fine_since is None else self.fine_since) if value <= 8 else None
        )
        if not self.firing and self.beyond_since is not None and now - self.beyond_since >= 60:
            # The alert is the same again if the threat began soon enough after its end.
            again = self.ended is not None and self.beyond_since - self.ended <= 900
            self.firing, self.flaps = True, self.flaps + 1 if again else 0
        elif self.firing and self.fine_since is not None and now - self.fine_since >= 30:
            self.firing, self.ended = False, now


class Life(RuleBasedStateMachine):
    """The machine against the model, over any course of values and times."""

    @initialize()
    def begin(self) -> None:
        self.now, self.episode, self.model = 0, None, Model()

    @rule(
        value=st.sampled_from([HIGH, HIGH, HIGH, MIDDLE, LOW, LOW, None]),
        seconds=st.sampled_from([0, 5, 10, 30, 31, 60, 61, 400, 901]),
    )
    def evaluate(self, value: float | None, seconds: int) -> None:
        self.now += seconds
        self.episode, self.events = step(self.episode, value, after(self.now), ABOVE)
        self.model.see(value, self.now)

    @rule()
    def acknowledge(self) -> None:
        if self.episode and self.episode.state == State.FIRING:
            self.episode = replace(self.episode, state=State.ACKNOWLEDGED)

    @invariant()
    def fires_when_it_should(self) -> None:
        firing = {State.FIRING, State.ACKNOWLEDGED}
        episode = getattr(self, "episode", None)
        if hasattr(self, "model"):
            assert (episode is not None and episode.state in firing) == self.model.firing
        if episode and self.model.firing:
            assert episode.flaps == self.model.flaps
            assert episode.peak is not None

    @invariant()
    def is_consistent(self) -> None:
        episode = getattr(self, "episode", None)
        if episode:
            assert (episode.state == State.RESOLVED) <= (episode.resolved_at is not None)
            assert (episode.state in {State.FIRING, State.ACKNOWLEDGED}) <= (
                episode.fired_at is not None and episode.resolved_at is None
            )


Life.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
