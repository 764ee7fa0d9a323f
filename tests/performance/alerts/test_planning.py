"""Who is told what, and when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

import pytest
import time_machine
from django.db.models import QuerySet
from django.utils import timezone

from performance.alerts import Report, actions, delivery, writing
from performance.alerts.channels import Channel, ChannelError, Message, Refused
from performance.alerts.delivery import LEASE, MOST_ATTEMPTS, deliver
from performance.models import Alert, AlertEvent, AlertRule, Notification, Silence
from tests.factories import UserFactory
from tests.performance.alerts.conftest import at

Rule = Callable[..., AlertRule]
See = Callable[..., Report]
sent: list[Message] = []


class Recorder(Channel):
    """Keeps what it was given; OPTIONS["fails"] raises instead."""

    optional = frozenset({"fails"})

    def send(self, message: Message) -> None:
        if self.options.get("fails") == "refused":
            raise Refused("HTTP 404")
        if self.options.get("fails"):
            raise ChannelError("no luck")
        sent.append(message)


class Leaky(Channel):
    def send(self, message: Message) -> None:
        raise RuntimeError("https://user:secret@example.org failed")


PATH = "tests.performance.alerts.test_planning"


def channel(kind: str = "Recorder", **options: Any) -> dict[str, Any]:
    return {"BACKEND": f"{PATH}.{kind}", "OPTIONS": options}


@pytest.fixture(autouse=True)
def use(settings: Any) -> Callable[..., None]:
    """Sets ALERTS: use(CHANNELS={...})."""
    sent.clear()

    def chosen(**values: Any) -> None:
        block = {**settings.PERFORMANCE["ALERTS"], "CHANNELS": {"ops": channel()}, **values}
        settings.PERFORMANCE = {**settings.PERFORMANCE, "ALERTS": block}

    chosen()
    return chosen


def told() -> list[str]:
    return [message.subject for message in sent]


def send(seconds: float) -> None:
    deliver(now=at(seconds))


def test_firing_and_resolving_are_told_once_each(make_rule: Rule, see: See) -> None:
    make_rule(hold=0, keep_firing=0, title="Too high", severity="critical")
    for second in range(0, 30, 5):
        see(second, 11)
        send(second)
    for second in range(100, 130, 5):
        see(second, 1)
        send(second)

    assert told() == ["[critical] firing: Too high", "[critical] resolved: Too high"]
    assert list(AlertEvent.objects.filter(kind="told").values_list("note", flat=True)) == [
        "ops: firing",
        "ops: resolved",
    ]


def test_nothing_waits_longer_than_ten_seconds(make_rule: Rule, see: See) -> None:
    make_rule(hold=20)
    for second in range(0, 40, 5):
        see(second, 11)
        send(second)
        if sent:
            break

    assert second - 20 <= 10


def test_alerts_of_a_group_are_told_together(make_rule: Rule, see: See) -> None:
    make_rule(hold=0, group_by=["view"])
    see(0, a=11, b=12)
    see(5, a=11, b=12, c=13)
    send(5)

    (message,) = sent
    assert message.subject.endswith("and 2 more")
    assert message.text.count("FIRING") == 3


def test_a_group_is_told_of_at_most_once_a_minute(make_rule: Rule, see: See) -> None:
    make_rule(hold=0, group_by=["view"])
    levels: dict[str, float] = {}
    for second in range(0, 60, 5):
        levels[f"v{second}"] = 11
        see(second, **levels)
        send(second)
    assert len(sent) == 1

    send(61)
    assert len(sent) == 2


def test_what_resolves_before_it_is_told_is_told_as_resolved(make_rule: Rule, see: See) -> None:
    make_rule(hold=0, keep_firing=0)
    see(0, 11)
    see(2, 1)
    send(6)

    assert told() == ["[warning] resolved: rule-0"]


def test_severity_and_names_choose_the_channels(make_rule: Rule, see: See, use: Any) -> None:
    use(CHANNELS={"ops": channel(), "phone": channel(min_severity="critical")})
    make_rule(hold=0, severity="warning", group="a")
    make_rule(hold=0, severity="critical", group="b")
    make_rule(hold=0, severity="info", group="c", channels=["phone"])
    make_rule(hold=0, group="d", channels=["gone"])
    see(0, 11)

    rows = Notification.objects.values_list("channel", "group")
    # A channel that settings no longer name: better told elsewhere than to nobody.
    expected = [("ops", "a"), ("ops", "b"), ("ops", "d"), ("phone", "b"), ("phone", "c")]
    assert sorted(rows) == expected


def test_nobody_acknowledges_so_it_escalates(make_rule: Rule, see: See, use: Any) -> None:
    quiet = channel(min_severity="critical")
    use(CHANNELS={"ops": channel(), "boss": quiet}, ESCALATE_TO=("boss",))
    make_rule(hold=0)
    see(0, 11)
    send(5)
    see(899, 11)
    send(905)
    assert len(sent) == 1

    see(900, 11)
    send(905)

    assert told()[1:] == ["[warning] nobody acknowledged: rule-0"] * 2
    assert AlertEvent.objects.filter(kind="escalated").count() == 2


def test_an_acknowledged_alert_is_quiet(make_rule: Rule, see: See) -> None:
    make_rule(hold=0)
    see(0, 11)
    send(5)
    actions.acknowledge([Alert.objects.get().pk], by=UserFactory())

    for hours in range(1, 20):
        see(hours * 3600, 11)
        send(hours * 3600 + 60)

    assert len(sent) == 1


def test_reminders_follow_while_nobody_acknowledges(make_rule: Rule, see: See) -> None:
    make_rule(hold=0)
    for minutes in (0, 10, 15, 20, 254, 255, 260, 494, 495, 500):
        see(minutes * 60, 11)
        send(minutes * 60 + 60)

    news = [subject.partition(":")[0] for subject in told()]
    assert news == [
        "[warning] firing",
        "[warning] nobody acknowledged",
        "[warning] still firing",
        "[warning] still firing",
    ]


def test_what_only_informs_is_told_once(make_rule: Rule, see: See) -> None:
    make_rule(hold=0, severity="info")
    for hours in range(10):
        see(hours * 3600, 11)
        send(hours * 3600 + 60)

    assert len(sent) == 1


def test_a_silence_holds_back_and_its_end_tells(make_rule: Rule, see: See) -> None:
    make_rule(hold=0)
    Silence.objects.create(reason="move", starts_at=at(0), ends_at=at(100))
    see(0, 11)
    send(60)
    assert not sent

    see(101, 11)
    send(120)
    assert told() == ["[warning] firing: rule-0"]


def test_what_follows_is_taken_out_of_a_message_that_waits(make_rule: Rule, see: See) -> None:
    """The cause often fires a moment after its consequences."""
    pages = make_rule(hold=0, metric="level", labels={"view": "pages"}, group="a")
    database = make_rule(hold=0, metric="level", labels={"view": "database"}, group="b")
    pages.inhibited_by.add(database)
    see(0, pages=11, database=1)
    see(4, pages=11, database=11)
    send(10)
    assert told() == ["[warning] firing: rule-1"]

    see(20, pages=11, database=1)
    see(51, pages=11, database=1)
    see(52, pages=11, database=1)
    send(120)
    assert "[warning] firing: rule-0" in told()


def test_a_failure_is_tried_again_ever_later_then_given_up(
    make_rule: Rule, see: See, use: Any
) -> None:
    use(CHANNELS={"ops": channel(fails=True)})
    make_rule(hold=0)
    see(0, 11)
    due, now = [], 5.0
    for _ in range(MOST_ATTEMPTS):
        send(now)
        row = Notification.objects.get()
        due.append((row.due_at - at(now)).total_seconds())
        now = (row.due_at - at(0)).total_seconds()

    assert (row.state, row.attempts, row.error) == ("failed", MOST_ATTEMPTS, "no luck")
    assert due[:4] == [10, 20, 40, 80]


def test_a_refusal_is_not_tried_again(make_rule: Rule, see: See, use: Any) -> None:
    use(CHANNELS={"ops": channel(fails="refused")})
    make_rule(hold=0)
    see(0, 11)
    send(5)

    row = Notification.objects.get()
    assert (row.state, row.error) == ("failed", "HTTP 404")


def test_an_error_of_a_channel_says_nothing_of_its_address(
    make_rule: Rule, see: See, use: Any, capfd: Any
) -> None:
    use(CHANNELS={"ops": channel("Leaky")})
    make_rule(hold=0)
    see(0, 11)
    send(5)

    assert Notification.objects.get().error == "RuntimeError"
    assert "secret" not in "".join(capfd.readouterr())


def test_one_message_is_sent_by_one_worker(
    transactional_db: None, make_rule: Rule, see: See, side_by_side: Any
) -> None:
    make_rule(hold=0)
    see(0, 11)

    side_by_side(lambda: send(5), times=6)

    assert len(sent) == 1
    assert AlertEvent.objects.filter(kind="told").count() == 1


def test_two_who_saw_the_same_message_are_told_apart_by_the_update(
    transactional_db: None, make_rule: Rule, see: See, side_by_side: Any, monkeypatch: Any
) -> None:
    make_rule(hold=0)
    see(0, 11)
    both_have_read, update = threading.Barrier(2), QuerySet.update
    waited: set[int] = set()

    def late(rows: Any, **values: Any) -> int:
        if values.get("state") == "sending" and threading.get_ident() not in waited:
            waited.add(threading.get_ident())
            both_have_read.wait(10)
        return update(rows, **values)

    monkeypatch.setattr(QuerySet, "update", late)
    side_by_side(lambda: send(5), times=2)

    assert len(sent) == 1


def test_a_sender_that_died_is_followed_by_another_with_the_same_id(
    make_rule: Rule, see: See
) -> None:
    make_rule(hold=0)
    see(0, 11)
    send(5)
    first = sent[0].id
    Notification.objects.update(state="sending", claimed_at=at(5), sent_at=None)

    send(60)
    assert len(sent) == 1
    deliver(now=at(5) + LEASE + timedelta(seconds=1))

    assert [message.id for message in sent] == [first, first]


def test_a_late_sender_does_not_overwrite(make_rule: Rule, see: See, monkeypatch: Any) -> None:
    """Its lease ran out while it sent; whoever took over has the say."""
    make_rule(hold=0)
    see(0, 11)
    with monkeypatch.context() as patch:
        patch.setattr(
            Recorder,
            "send",
            lambda *_: Notification.objects.update(claimed_at=at(500)) and sent.append(None),  # type: ignore[arg-type]
        )
        patch.setattr("performance.alerts.delivery.ThreadPoolExecutor", InThread)
        send(5)

    assert Notification.objects.get().state == "sending"


class InThread:
    """A pool that is none: the channel's UPDATE sees this test's transaction."""

    def __init__(self, *_args: Any) -> None: ...
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_args: object) -> None: ...
    def map(self, function: Any, values: Any) -> list[Any]:
        return [function(value) for value in values]


def test_a_message_names_links_and_escapes_nothing_it_should_not(
    make_rule: Rule, see: See, use: Any
) -> None:
    use(SITE_URL="https://chat.example.org/")
    make_rule(hold=0, group_by=["view"], runbook="disk-full")
    see(0, **{"<b>\r\nBcc: x@y": 11})
    send(5)

    (message,) = sent
    entry = message.payload["alerts"][0]
    pk = Alert.objects.get().pk
    assert entry["url"] == f"https://chat.example.org/admin/performance/alert/{pk}/change/"
    assert entry["runbook"].startswith("https://chat.example.org/admin/performance/")
    assert "\n" not in message.subject
    assert "\r" not in message.subject


def test_no_channels_no_messages(make_rule: Rule, see: See, use: Any) -> None:
    use(CHANNELS={})
    make_rule(hold=0)

    assert see(0, 11).notifications == 0


def test_each_batch_begins_a_lease_of_its_own(make_rule: Rule, see: See, monkeypatch: Any) -> None:
    """Channels that hang can make a run longer than a lease; nobody else may send the rest then."""
    for number in range(delivery.AT_ONCE + 1):
        make_rule(hold=0, group=f"g{number}")
    see(0, 11)
    moments = iter([at(10), at(10) + LEASE, at(11) + LEASE, at(20) + LEASE, at(21) + LEASE])
    monkeypatch.setattr(delivery, "_clock", lambda: next(moments))

    assert deliver() == delivery.AT_ONCE + 1

    claimed = Notification.objects.values_list("claimed_at", flat=True).distinct()
    assert set(claimed) == {at(10), at(11) + LEASE}


def test_leases_go_by_the_clock_of_the_database(make_rule: Rule, see: See) -> None:
    make_rule(hold=0)
    see(0, 11)
    with time_machine.travel(at(5), tick=False):
        deliver()

    claimed = Notification.objects.get().claimed_at
    assert claimed
    assert abs((claimed - timezone.now()).total_seconds()) < 60


def test_one_message_that_cannot_be_written_costs_no_other(
    make_rule: Rule, see: See, monkeypatch: Any
) -> None:
    make_rule(hold=0, group="a")
    make_rule(hold=0, group="b")
    see(0, 11)
    written = writing.message

    def spoilt(row: Notification) -> Message | None:
        if row.group == "a":
            raise KeyError("secret")
        return written(row)

    monkeypatch.setattr(writing, "message", spoilt)
    send(10)

    assert len(sent) == 1
    assert Notification.objects.get(group="a").error == "it cannot be written: KeyError"


def test_a_message_that_kills_whoever_sends_it_is_given_up(make_rule: Rule, see: See) -> None:
    make_rule(hold=0)
    see(0, 11)
    Notification.objects.update(state="sending", claimed_at=at(0), attempts=MOST_ATTEMPTS)

    deliver(now=at(1) + LEASE)

    assert Notification.objects.get().state == "failed"
    assert not sent
