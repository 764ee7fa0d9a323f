"""Pages of alerts: who may do what, hostile values, previews."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from performance import metrics
from performance.alerts import Sample, deliver, evaluate
from performance.models import Alert, AlertEvent, AlertRule, Notification, Silence
from tests.factories import UserFactory

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }} {% csrf_token %}",
    "javascript:alert(1)",
    "x" * 120,
    "\u202egnp.exe",
    "=cmd|' /C calc'!A0",
    "😀 <!-- --> &amp; %s %(x)s {x}",
]
Rule = Callable[..., AlertRule]


@pytest.fixture
def make_rule(db: None) -> Rule:
    AlertRule.objects.all().delete()

    def make(**values: Any) -> AlertRule:
        given = {"name": "rule", "title": "Too high", "metric": "level", "aggregation": "last"}
        return AlertRule.objects.create(**given | {"threshold": 10, "group_by": ["view"]} | values)

    return make


@pytest.fixture
def rule(make_rule: Rule) -> AlertRule:
    return make_rule()


def fire(*views: str) -> list[Alert]:
    evaluate(samples=[Sample("level", 11, {"view": view}) for view in views])
    return list(Alert.objects.order_by("pk"))


def client_with(*permissions: str, **values: Any) -> Client:
    user = UserFactory(is_staff=True, **values)
    for name in permissions:
        user.user_permissions.add(Permission.objects.get(codename=name))
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


@pytest.fixture
def boss(db: None) -> Client:
    return client_with(is_superuser=True)


LIST = "/admin/performance/alert/"
ACT = "/admin/performance/alert/act/"
RULES = "/admin/performance/alertrule/"


def page(alert: Alert) -> str:
    return reverse("admin:performance_alert_change", args=[alert.pk])


def posted(rule: AlertRule, **values: Any) -> dict[str, Any]:
    """The form of a rule as a browser sends it."""
    given = {
        "title": rule.title,
        "name": rule.name,
        "enabled": "on",
        "metric": rule.metric,
        "aggregation": rule.aggregation,
        "labels": "",
        "group_by": ", ".join(rule.group_by),
        "window": rule.window,
        "min_samples": 1,
        "divisor": "",
        "divisor_labels": "",
        "divisor_aggregation": "count",
        "comparison": "gt",
        "threshold": rule.threshold,
        "hold": 0,
        "resolve_threshold": "",
        "keep_firing": 60,
        "no_data": "keep",
        "severity": "warning",
        "group": "site",
        "runbook": "",
    }
    return given | values


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ([], set()),
        (["view_alert"], {"see"}),
        (["view_alert", "acknowledge_alert"], {"see", "act"}),
        (["view_alertrule"], {"rules"}),
        (["view_alertrule", "change_alertrule"], {"rules", "change", "preview"}),
    ],
)
def test_seeing_acknowledging_and_changing_rules_are_three_things(
    permissions: list[str], allowed: set[str], rule: AlertRule
) -> None:
    (alert,) = fire("home")
    client = client_with(*permissions)
    answers = {
        "see": [client.get(LIST), client.get(page(alert))],
        "act": [client.post(ACT, {"action": "acknowledge", "alert": alert.pk})],
        "rules": [client.get(RULES)],
        "change": [client.post(f"{RULES}{rule.pk}/change/", posted(rule, title="Other"))],
        "preview": [client.post(f"{RULES}preview/", posted(rule))],
    }

    done = {what for what, found in answers.items() if all(a.status_code < 400 for a in found)}

    assert done == allowed
    assert {a.status_code for found in answers.values() for a in found} <= {200, 302, 403}
    rule.refresh_from_db()
    assert (rule.title == "Other") == ("change" in allowed)
    alert.refresh_from_db()
    assert (alert.state == "acknowledged") == ("act" in allowed)


ACTIONS = ["acknowledge", "unacknowledge", "take", "assign", "silence", "comment"]


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_wants_its_permission(action: str, rule: AlertRule) -> None:
    (alert,) = fire("home")
    before = AlertEvent.objects.count()
    for client in (client_with("view_alert"), Client(SERVER_NAME="localhost")):
        answer = client.post(ACT, {"action": action, "alert": alert.pk, "note": "x"})
        assert answer.status_code in (302, 403)

    assert AlertEvent.objects.count() == before
    assert not Silence.objects.exists()


def test_acting_on_one_alert(rule: AlertRule) -> None:
    (alert,) = fire("home")
    client = client_with("view_alert", "acknowledge_alert", username="alice")
    bob = UserFactory(username="bob", is_staff=True)

    def act(action: str, **values: Any) -> str:
        data = {"action": action, "alert": alert.pk, **values}
        return client.post(ACT, data, follow=True).content.decode()

    act("take")
    act("acknowledge", note="looking")
    act("assign", assignee=bob.pk, note="he knows")
    act("silence", seconds="3600", note="known")
    act("comment", note="<b>bold</b>\nsecond line")
    text = act("unacknowledge")

    kinds = alert.events.exclude(actor=None).order_by("id").values_list("kind", "note")
    assert [kind for kind, _ in kinds] == [
        *("assigned", "acknowledged", "assigned", "silenced", "commented", "unacknowledged"),
    ]
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "<b>bold" not in text


@pytest.mark.parametrize(
    "data",
    [
        {"action": "assign", "assignee": "999999"},
        {"action": "assign", "assignee": "x"},
        {"action": "assign", "assignee": "9" * 30},
        {"action": "silence", "seconds": "1"},
        {"action": "silence", "seconds": "nan"},
        {"action": "comment", "note": "  "},
    ],
)
def test_wrong_values_are_answered_with_a_sentence(
    data: dict[str, str], rule: AlertRule, boss: Client
) -> None:
    (alert,) = fire("home")
    answer = boss.post(ACT, {**data, "alert": alert.pk}, follow=True)

    assert [str(message) for message in answer.context["messages"]]
    assert not AlertEvent.objects.exclude(actor=None).exists()


@pytest.mark.parametrize(
    "data", [{"action": "drop", "alert": "1"}, {"action": "acknowledge"}, {"alert": "1"}]
)
def test_what_is_no_action_is_not_found(data: dict[str, str], boss: Client) -> None:
    assert boss.post(ACT, data).status_code == 404
    assert boss.get(ACT).status_code == 405


def test_many_are_acknowledged_with_a_note(rule: AlertRule, boss: Client) -> None:
    alerts = fire("a", "b", "c")
    keys = [alert.pk for alert in alerts]
    asked = boss.post(LIST, {"action": "acknowledge_all", "_selected_action": keys})
    named = re.findall(r'name="alert" value="(\d+)"', asked.content.decode())
    assert sorted(map(int, named)) == keys

    Alert.objects.filter(pk=keys[0]).update(state="acknowledged")
    answer = boss.post(
        ACT, {"action": "acknowledge", "alert": named, "note": "all mine"}, follow=True
    )

    assert Alert.objects.filter(state="acknowledged").count() == 3
    assert AlertEvent.objects.filter(kind="acknowledged", note="all mine").count() == 2
    assert "1 of 3 had changed meanwhile" in answer.content.decode()


def test_bulk_actions_are_not_offered_without_the_permission(rule: AlertRule) -> None:
    (alert,) = fire("a")
    client = client_with("view_alert")
    data = {"action": "acknowledge_all", "_selected_action": [alert.pk]}

    assert b"acknowledge_all" not in client.get(LIST).content
    client.post(LIST, data)
    alert.refresh_from_db()
    assert alert.state == "firing"


def test_hostile_labels_harm_no_page(make_rule: Rule, boss: Client, queue_redis: Any) -> None:
    rule = make_rule(title=f"T {HOSTILE[0]} {HOSTILE[2]}")
    for value in HOSTILE:
        metrics.gauge("level", 11, view=value)
    metrics.flush()
    alerts = fire(*HOSTILE)
    Notification.objects.create(
        channel="ops",
        group="site",
        key="k",
        severity="info",
        created_at=timezone.now(),
        due_at=timezone.now(),
        error=HOSTILE[0],
    )
    Silence.objects.create(
        reason=HOSTILE[0],
        rule=rule,
        labels={"view": HOSTILE[1]},
        starts_at=timezone.now(),
        ends_at=timezone.now() + timedelta(hours=1),
    )
    keys = [alert.pk for alert in alerts]
    answers = [
        *(boss.get(page(alert)) for alert in alerts),
        *(boss.get(LIST, {"is": "all", "q": HOSTILE[1]}), boss.get(LIST, {"is": HOSTILE[0]})),
        *(boss.get(RULES), boss.get(f"{RULES}{rule.pk}/change/")),
        *(boss.get(LIST), boss.post(f"{RULES}preview/", posted(rule))),
        boss.post(LIST, {"action": "silence_all", "_selected_action": keys}),
        *(boss.get("/admin/performance/notification/"), boss.get("/admin/performance/silence/")),
    ]

    for answer in answers:
        assert answer.status_code == 200
        for harm in (b"<script>alert", b"<img src=x", b"T 49"):
            assert harm not in answer.content


@pytest.mark.parametrize("pk", ["0", "-1", "99999999999999999999", "1e3", "x", "1%00"])
def test_no_such_alert(pk: str, boss: Client) -> None:
    assert boss.get(f"/admin/performance/alert/{pk}/change/").status_code == 404


def test_a_list_takes_as_many_queries_whatever_its_length(
    rule: AlertRule, boss: Client, django_assert_max_num_queries: Any
) -> None:
    fire(*(f"v{number}" for number in range(30)))
    with django_assert_max_num_queries(12):
        answer = boss.get(LIST)

    assert answer.content.decode().count("alert-link") == 30


def test_firing_and_severe_ones_come_first(make_rule: Rule, boss: Client) -> None:
    make_rule(name="a", title="mild", severity="info")
    make_rule(name="b", title="grave", severity="critical")
    fire("x")
    text = boss.get(LIST).content.decode()

    assert text.index(">grave<") < text.index(">mild<")


def test_the_list_says_when_nobody_evaluates(rule: AlertRule, boss: Client) -> None:
    assert b"never been evaluated" in boss.get(LIST).content

    evaluate()

    assert b"Does a worker run?" not in boss.get(LIST).content


WRONG = [
    ({"labels": "status"}, "status=5xx"),
    ({"group_by": "a b"}, "no list of names"),
    ({"metric": "Bad Name"}, "no metric"),
    ({"divisor": "a+"}, "no metric"),
    ({"threshold": "nan"}, "number"),
    ({"resolve_threshold": "99"}, "at most 10"),
    ({"window": "5"}, "10"),
    ({"window": "999999"}, "86400"),
    ({"channels": "nowhere"}, "nowhere"),
    ({"comparison": "<"}, "valid choice"),
]


def test_wrong_rules_are_answered_with_what_would_be_right(rule: AlertRule, boss: Client) -> None:
    for values, said in WRONG:
        answer = boss.post(f"{RULES}preview/", posted(rule, **values))
        assert answer.status_code == 200
        assert said in answer.content.decode(), values
    answer = boss.post(f"{RULES}{rule.pk}/change/", posted(rule, resolve_threshold="99"))
    assert "at most 10" in answer.content.decode()


def test_labels_are_typed_as_they_are_read(rule: AlertRule, boss: Client) -> None:
    data = posted(rule, labels="status=5xx, method=GET|POST", divisor="level", divisor_labels="a=b")
    boss.post(f"{RULES}{rule.pk}/change/", data)
    rule.refresh_from_db()

    assert rule.labels == {"status": "5xx", "method": ["GET", "POST"]}
    assert b'value="method=GET|POST, status=5xx"' in boss.get(f"{RULES}{rule.pk}/change/").content


def test_rules_never_hold_back_each_other(make_rule: Rule, boss: Client) -> None:
    one, two, three = (make_rule(name=name) for name in ("one", "two", "three"))
    two.inhibited_by.add(one)
    three.inhibited_by.add(two)

    answer = boss.post(f"{RULES}{one.pk}/change/", posted(one, inhibited_by=[three.pk]))

    assert "is held back by one" in answer.content.decode()
    assert not one.inhibited_by.exists()
    assert (
        "is held back by one"
        in boss.post(
            f"{RULES}{one.pk}/change/", posted(one, inhibited_by=[one.pk])
        ).content.decode()
    )


def test_a_preview_counts_and_saves_nothing(make_rule: Rule, queue_redis: Any) -> None:
    now = timezone.now().replace(second=30, microsecond=0)
    rule = make_rule(group_by=[], aggregation="max", window=60, keep_firing=60)
    client = client_with("view_alertrule", "change_alertrule")
    for minute in (40, 39, 20):
        with time_machine.travel(now - timedelta(minutes=minute), tick=False):
            metrics.gauge("level", 12)
            metrics.flush()
    for minute in (50, 35, 30, 25, 10):
        with time_machine.travel(now - timedelta(minutes=minute), tick=False):
            metrics.gauge("level", 3)
            metrics.flush()
    with time_machine.travel(now, tick=False):
        answer = client.post(f"{RULES}preview/", posted(rule, keep_firing=0, group_by=""))
        stricter = client.post(f"{RULES}preview/", posted(rule, threshold=20, group_by=""))
    text = answer.content.decode()

    assert "would have fired <strong>2 times" in text
    for minute in (40, 20):  # judged at the end of the minute that it was measured in
        assert f"{now - timedelta(minutes=minute - 1):%Y-%m-%d %H:%M}</td>" in text
    assert "would have fired <strong>0 times" in stricter.content.decode()
    assert "<svg" in text
    assert text.count("<tr>") >= 3
    assert AlertRule.objects.get().keep_firing == 60


def test_a_preview_without_redis_says_so(
    rule: AlertRule, boss: Client, valkey_server: Any, settings: Any
) -> None:
    server = valkey_server()
    block = settings.PERFORMANCE
    settings.PERFORMANCE = {**block, "METRICS": {**block["METRICS"], "LOCATION": server.url}}
    server.kill()

    answer = boss.post(f"{RULES}preview/", posted(rule))

    assert answer.status_code == 200


def test_shipped_rules_are_switched_off_not_deleted(make_rule: Rule, boss: Client) -> None:
    rule = make_rule(shipped="error-rate")

    assert boss.post(f"{RULES}{rule.pk}/delete/", {"post": "yes"}).status_code == 403
    boss.post(RULES, {"action": "switch_off", "_selected_action": [rule.pk]})
    rule.refresh_from_db()
    assert not rule.enabled


def test_shipped_values_come_back_on_request(make_rule: Rule, boss: Client) -> None:
    rule = make_rule(shipped="disk-full")

    boss.post(RULES, {"action": "reset", "_selected_action": [rule.pk]})

    rule.refresh_from_db()
    assert (rule.metric, rule.threshold) == ("disk_free_ratio", 0.1)


@pytest.mark.parametrize(("name", "status"), [("disk-full", 200), ("none", 404)])
def test_runbooks_are_read_in_the_admin(name: str, status: int, boss: Client) -> None:
    assert boss.get(f"{LIST}runbooks/{name}/").status_code == status
    assert Client().get(f"{LIST}runbooks/{name}/").status_code == 302


def test_given_up_messages_are_sent_again(boss: Client) -> None:
    row = Notification.objects.create(
        channel="ops",
        group="site",
        key="k",
        severity="info",
        state="failed",
        created_at=timezone.now(),
        due_at=timezone.now(),
        attempts=8,
    )
    boss.post(
        "/admin/performance/notification/",
        {"action": "try_again", "_selected_action": [row.pk]},
    )
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("retrying", 0)


def test_who_made_a_silence_is_known(boss: Client) -> None:
    now = timezone.now()
    data = {
        "reason": "move",
        "group": "",
        "labels": "view=home",
        "repeats": "weekly",
        "starts_at_0": f"{now:%Y-%m-%d}",
        "starts_at_1": f"{now:%H:%M:%S}",
        "ends_at_0": f"{now + timedelta(hours=2):%Y-%m-%d}",
        "ends_at_1": f"{now + timedelta(hours=2):%H:%M:%S}",
    }
    boss.post("/admin/performance/silence/add/", data)

    silence = Silence.objects.get()
    assert silence.created_by is not None
    assert silence.labels == {"view": "home"}
    assert silence.holds_at(now + timedelta(days=7, hours=1))


def test_hostile_forms_are_answered(rule: AlertRule, boss: Client) -> None:
    pk = str(fire("home")[0].pk)
    keys = [pk, pk, "9" * 5000, "99999999999999999999", "-1", "x"]

    sent = {"action": "acknowledge", "alert": keys, "note": "a\0b"}
    answer = boss.post(reverse("admin:performance_alert_action"), sent, follow=True)

    assert answer.status_code == 200
    assert [str(said) for said in answer.context["messages"]] == ["Acknowledged."]
    assert AlertEvent.objects.get(kind="acknowledged").note == "ab"


NOTIFICATIONS = "/admin/performance/notification/"


def test_a_test_message_goes_the_way_of_all_messages(boss: Client, settings: Any, db: None) -> None:
    backend = "performance.alerts.channels.email.EmailChannel"
    named = {"ops": {"BACKEND": backend, "OPTIONS": {"to": ["ops@example.org"]}}}
    block = {**settings.PERFORMANCE["ALERTS"], "CHANNELS": named}
    settings.PERFORMANCE = {**settings.PERFORMANCE, "ALERTS": block}
    assert b"Send a test to ops" in boss.get(NOTIFICATIONS).content

    for _ in range(2):
        assert boss.post(f"{NOTIFICATIONS}test/", {"channel": "ops"}).status_code == 302
    assert boss.post(f"{NOTIFICATIONS}test/", {"channel": "x"}).status_code == 404
    assert boss.get(f"{NOTIFICATIONS}test/").status_code == 405

    assert deliver() == 1
    assert [message.subject for message in mail.outbox] == [
        "[test] Messages about alerts arrive here"
    ]
    row = Notification.objects.get()
    assert row.state == "sent"
    assert b"a test" in boss.get(f"{NOTIFICATIONS}{row.pk}/change/").content
    watcher = client_with("view_notification", "view_alert")
    assert watcher.post(f"{NOTIFICATIONS}test/", {"channel": "ops"}).status_code == 403
    assert b"Send a test" not in watcher.get(NOTIFICATIONS).content


def test_the_list_says_when_no_channel_is_set(boss: Client, settings: Any) -> None:
    block = {**settings.PERFORMANCE["ALERTS"], "CHANNELS": {}}
    settings.PERFORMANCE = {**settings.PERFORMANCE, "ALERTS": block}

    assert b"No channel is set" in boss.get(NOTIFICATIONS).content


def test_a_silence_of_everything_is_pointed_out(rule: AlertRule, boss: Client) -> None:
    now = timezone.now()
    values = {"starts_at": now, "ends_at": now + timedelta(hours=1)}
    Silence.objects.create(reason="all", **values)
    Silence.objects.create(reason="one", rule=rule, labels={"view": "home"}, **values)

    shown = boss.get("/admin/performance/silence/").content

    assert b"everything" in shown
    assert b"Too high, view=home" in shown
