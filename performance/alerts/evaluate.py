"""The life of an alert as a pure function: no clock, no database, no settings."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from performance.models.alert_rules import Comparison, NoData
from performance.models.alerts import AlertEvent, Cause, State

Kind = AlertEvent.Kind
COMPARES = {
    Comparison.ABOVE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
    Comparison.BELOW: operator.lt,
    Comparison.AT_MOST: operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the machine needs of a rule.

    A resolved alert whose condition returns within `reopen_within` is the same alert again; one
    that had no value for `stale_after` resolves, lest it fire for ever over labels that are gone.
    """

    comparison: Comparison
    threshold: float
    resolve_threshold: float
    hold: timedelta = timedelta(0)
    keep_firing: timedelta = timedelta(0)
    no_data: NoData = NoData.KEEP
    reopen_within: timedelta = timedelta(minutes=15)
    stale_after: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An alert as the machine sees it; every timer is a moment, so that it can be stored."""

    state: State
    began_at: datetime
    seen_at: datetime
    fired_at: datetime | None = None
    recovering_at: datetime | None = None
    resolved_at: datetime | None = None
    value: float | None = None
    peak: float | None = None
    cause: Cause = Cause.VALUE
    flaps: int = 0


class Verdict(Enum):
    BEYOND = auto()
    BETWEEN = auto()
    """Not beyond the threshold, and not yet back beyond the one that resolves."""
    FINE = auto()
    UNKNOWN = auto()


Step = tuple[Episode | None, tuple[Kind, ...]]


def step(episode: Episode | None, value: float | None, now: datetime, terms: Terms) -> Step:
    """The alert after an evaluation at `now` that found `value` (None: no data), and what happened.

    `episode` is the unresolved or the newest resolved one of the same rule and labels.
    """
    verdict = judge(value, terms)
    if episode is None or is_over(episode, now, terms):
        return _begin(None, value, now, terms) if verdict is Verdict.BEYOND else (None, ())
    if episode.state == State.RESOLVED:
        return _begin(episode, value, now, terms) if verdict is Verdict.BEYOND else (episode, ())
    seen = _seen(episode, value, now, terms)
    if verdict is Verdict.UNKNOWN:
        return _wait_for_data(seen, now, terms)
    if seen.state == State.PENDING:
        return _pend(seen, verdict, now, terms)
    return _fire_on(seen, verdict, now, terms)


def judge(value: float | None, terms: Terms) -> Verdict:
    """Where the value stands; without one the rule's own answer to that."""
    if value is None:
        return {
            NoData.KEEP: Verdict.UNKNOWN,
            NoData.ALERT: Verdict.BEYOND,
            NoData.OK: Verdict.FINE,
        }[terms.no_data]
    beyond = COMPARES[terms.comparison]
    if beyond(value, terms.threshold):
        return Verdict.BEYOND
    return Verdict.BETWEEN if beyond(value, terms.resolve_threshold) else Verdict.FINE


def worse(one: float | None, other: float | None, terms: Terms) -> float | None:
    """The one further beyond the threshold."""
    if one is None or other is None:
        return one if other is None else other
    upper = terms.comparison in (Comparison.ABOVE, Comparison.AT_LEAST)
    return max(one, other) if upper else min(one, other)


def is_over(episode: Episode, now: datetime, terms: Terms) -> bool:
    """Whether it resolved too long ago to be opened again."""
    return (
        episode.resolved_at is not None
        and episode.state == State.RESOLVED
        and now - episode.resolved_at > terms.reopen_within
    )


def _begin(earlier: Episode | None, value: float | None, now: datetime, terms: Terms) -> Step:
    cause = Cause.NO_DATA if value is None else Cause.VALUE
    begun = Episode(
        state=State.PENDING,
        began_at=now,
        seen_at=now,
        value=value,
        peak=value,
        cause=cause,
        fired_at=earlier.fired_at if earlier else None,
        resolved_at=earlier.resolved_at if earlier else None,
        flaps=earlier.flaps if earlier else 0,
    )
    after, events = _pend(begun, Verdict.BEYOND, now, terms)
    return after, (Kind.PENDING, *events)


def _seen(episode: Episode, value: float | None, now: datetime, terms: Terms) -> Episode:
    # A clock that was set back must not make anybody wait for it to catch up.
    began = min(episode.began_at, now)
    recovering = episode.recovering_at and min(episode.recovering_at, now)
    episode = replace(episode, began_at=began, recovering_at=recovering)
    if value is None and terms.no_data is NoData.KEEP:
        return replace(episode, seen_at=min(episode.seen_at, now))
    cause = Cause.NO_DATA if value is None else Cause.VALUE
    peak = worse(episode.peak, value, terms)
    return replace(episode, value=value, peak=peak, cause=cause, seen_at=now)


def _wait_for_data(episode: Episode, now: datetime, terms: Terms) -> Step:
    if now - episode.seen_at < terms.stale_after:
        return episode, ()
    if episode.state == State.PENDING:
        return _lapse(episode, now)
    return _resolve(episode, now), (Kind.EXPIRED,)


def _pend(episode: Episode, verdict: Verdict, now: datetime, terms: Terms) -> Step:
    if verdict is not Verdict.BEYOND:
        return _lapse(episode, now)
    if now - episode.began_at < terms.hold:
        return episode, ()
    again = episode.fired_at is not None
    fired = replace(
        episode,
        state=State.FIRING,
        fired_at=now,
        resolved_at=None,
        recovering_at=None,
        flaps=episode.flaps + again,
    )
    return fired, (Kind.REOPENED if again else Kind.FIRED,)


def _lapse(episode: Episode, now: datetime) -> Step:
    """Back to what it was: resolved when it last fired, or now if it never did."""
    resolved_at = (episode.fired_at and episode.resolved_at) or now
    return replace(episode, state=State.RESOLVED, resolved_at=resolved_at), (Kind.LAPSED,)


def _fire_on(episode: Episode, verdict: Verdict, now: datetime, terms: Terms) -> Step:
    if verdict is not Verdict.FINE:
        return replace(episode, recovering_at=None), ()
    since = episode.recovering_at or now
    if now - since < terms.keep_firing:
        return replace(episode, recovering_at=since), ()
    return _resolve(episode, now), (Kind.RESOLVED,)


def _resolve(episode: Episode, now: datetime) -> Episode:
    return replace(episode, state=State.RESOLVED, resolved_at=now, recovering_at=None)
