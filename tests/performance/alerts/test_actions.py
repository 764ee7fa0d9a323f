"""Staff act on alerts, also two at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from performance.alerts import Report, Sample, actions, evaluate
from performance.models import Alert, AlertEvent, AlertRule, Silence
from tests.factories import UserFactory

Rule = Callable[..., AlertRule]
See = Callable[..., Report]


@pytest.fixture
def alert(make_rule: Rule, see: See) -> Alert:
    """A firing one."""
    make_rule(hold=0, group_by=["view"])
    see(0, home=11)
    return Alert.objects.get()


@pytest.fixture
def alice(db: None) -> Any:
    return UserFactory(username="alice", is_staff=True)


def events() -> list[tuple[str, str, str]]:
    rows = AlertEvent.objects.exclude(actor_name="").order_by("id")
    return list(rows.values_list("kind", "actor_name", "note"))


def test_acknowledge_and_take_back(alert: Alert, alice: Any) -> None:
    assert actions.acknowledge([alert.pk], by=alice, note="on it") == 1
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", alice)

    assert actions.unacknowledge([alert.pk], by=alice) == 1
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_at) == ("firing", None, None)
    assert events() == [("acknowledged", "alice", "on it"), ("unacknowledged", "alice", "")]


def test_what_is_not_firing_cannot_be_acknowledged(alert: Alert, alice: Any) -> None:
    actions.acknowledge([alert.pk], by=alice)

    assert actions.acknowledge([alert.pk], by=UserFactory()) == 0

    Alert.objects.update(state="resolved", resolved_at=timezone.now())
    assert actions.acknowledge([alert.pk], by=alice) == 0
    assert actions.assign([alert.pk], to=alice, by=alice) == 0
    assert actions.silence([alert.pk], seconds=60, by=alice) == 0
    assert len(events()) == 1


def test_assign_to_somebody_and_to_nobody(alert: Alert, alice: Any) -> None:
    actions.assign([alert.pk], to=alice, by=alice, note="she knows it")
    actions.assign([alert.pk], to=None, by=alice)

    assert [event[2] for event in events()] == ["to alice. she knows it", "to nobody."]


def test_a_silence_is_for_the_alerts_own_labels(alert: Alert, alice: Any) -> None:
    assert actions.silence([alert.pk], seconds=3600, by=alice, note="known") == 1

    silence = Silence.objects.get()
    assert silence.covers(alert.rule, {"view": "home"})
    assert not silence.covers(alert.rule, {"view": "other"})
    assert (silence.reason, silence.created_by) == ("known", alice)
    evaluate(samples=[Sample("level", 11, {"view": "home"})])
    alert.refresh_from_db()
    assert alert.suppressed == "silenced: known"


@pytest.mark.parametrize("seconds", [0, -1, 31 * 24 * 3600, float("nan")])
def test_a_silence_has_a_length(seconds: float, alert: Alert, alice: Any) -> None:
    with pytest.raises(ValueError, match=r"30 days|NaN"):
        actions.silence([alert.pk], seconds=seconds, by=alice)


def test_a_comment_wants_a_text(alert: Alert, alice: Any) -> None:
    with pytest.raises(ValueError, match="note is empty"):
        actions.comment([alert.pk], by=alice, note=" ")


def test_two_who_acknowledge_at_once_are_one(
    transactional_db: None, alert: Alert, alice: Any, side_by_side: Any
) -> None:
    changed = side_by_side(lambda: actions.acknowledge([alert.pk], by=alice), times=6)

    assert sorted(changed) == [0, 0, 0, 0, 0, 1]
    assert len(events()) == 1


def test_many_alerts_at_once_by_two_people_never_block_each_other(
    transactional_db: None, make_rule: Rule, see: See, alice: Any, side_by_side: Any
) -> None:
    """They lock in one order, whatever order they were asked in; nothing that was done is lost."""
    make_rule(hold=0, group_by=["view"])
    see(0, **{f"v{number}": 11 for number in range(30)})
    keys = list(Alert.objects.values_list("pk", flat=True))
    orders = [keys, keys[::-1], keys[15:] + keys[:15], keys]
    acts = [
        lambda: actions.acknowledge(orders[0], by=alice),
        lambda: actions.acknowledge(orders[1], by=alice),
        lambda: actions.assign(orders[2], to=alice, by=alice),
        lambda: actions.comment(orders[3], by=alice, note="hm"),
    ]

    changed = side_by_side(lambda: acts.pop()(), times=4)

    assert sum(changed) == 30 * 3
    assert AlertEvent.objects.filter(actor=alice).count() == 90
    assert not Alert.objects.exclude(state="acknowledged", assignee=alice).exists()


def test_evaluation_and_staff_take_turns(
    transactional_db: None, alert: Alert, alice: Any, see: See, side_by_side: Any
) -> None:
    acts = [lambda: actions.acknowledge([alert.pk], by=alice)]
    acts += [lambda: see(5, home=12)]

    side_by_side(lambda: acts.pop()(), times=2)

    alert.refresh_from_db()
    assert (alert.state, alert.value, alert.acknowledged_by) == ("acknowledged", 12, alice)


def test_a_name_outlives_its_account(alert: Alert, alice: Any) -> None:
    actions.acknowledge([alert.pk], by=alice)
    alice.delete()

    event = AlertEvent.objects.get(kind="acknowledged")
    assert (event.actor, event.actor_name) == (None, "alice")
