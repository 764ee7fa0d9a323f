"""The board's pages on real servers: who may see them, what they cost, what they say when much is away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings

from performance import metrics
from performance.admin.dashboard.charts import CHARTS
from performance.metrics import rollup, rows
from performance.metrics.definitions import Kind
from performance.metrics.series import Series, series
from performance.metrics.summary import Summary
from performance.models import Alert, AlertRule, TaskRun
from tests.performance.metrics.settings import with_metrics

pytestmark = pytest.mark.django_db
BOARD = "/admin/performance/dashboard/"
DATA, MINUTE = f"{BOARD}data/", f"{BOARD}minute/"
NOW = datetime(2026, 3, 4, 12, 30, 25, tzinfo=UTC)
HOSTILE = "</script><img src=x onerror=alert(1)>'\"&{{ 7 }}"


@pytest.fixture(autouse=True)
def _store(queue_redis: redis.Redis) -> Iterator[None]:
    """A clock that stands, and nothing measured yet."""
    metrics.forget()
    with time_machine.travel(NOW, tick=False):
        yield
    metrics.forget()


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("alice", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client() -> Client:
    return staff("view_dashboard")


def record(view: str = "app:home", status: str = "2xx") -> None:
    metrics.observe("request_seconds", 0.25, view=view, method="GET", status=status)
    metrics.observe("request_queries", 3, view=view)
    metrics.count("cache_hits", alias=view, tier="1")
    metrics.gauge("queue_length", 4, level="low")
    metrics.gauge("service_up", 1, service=view)
    metrics.flush()


def texts(page: Any) -> str:
    return re.sub(r"\s+", " ", page.content.decode())


def payload(page: Any) -> dict[str, Any]:
    found = re.search(
        r'<script id="board-data" type="application/json">(.*?)</script>', texts(page)
    )
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


@pytest.mark.parametrize("page", [BOARD, DATA, MINUTE])
def test_it_is_for_those_with_the_permission(page: str) -> None:
    assert Client().get(page).status_code == 302
    client = staff("view_taskrun", "view_metricseries")
    assert client.get(page).status_code == 403
    assert "dashboard" not in client.get("/admin/").content.decode().casefold()
    assert client.post(page).status_code == 403


@pytest.mark.parametrize("page", [BOARD, DATA, MINUTE])
def test_it_is_read_alone_and_kept_by_nobody(client: Client, page: str) -> None:
    assert client.post(page).status_code == 405
    assert "no-store" in client.get(page)["Cache-Control"]


def test_it_has_its_place_in_the_admin(client: Client) -> None:
    assert f'href="{BOARD}"' in client.get("/admin/").content.decode()


def test_what_is_recorded_is_on_the_board_at_once(client: Client) -> None:
    for _ in range(6):
        record()
    answer = client.get(DATA).json()
    assert "app:home" in answer["parts"]["views"]
    assert "250 ms" in answer["parts"]["views"]
    assert answer["charts"]["requests"]["lines"][0]["values"][-1] == pytest.approx(6 / 24, rel=0.01)
    assert answer["charts"]["waiting"]["lines"][4]["values"][-1] == 4
    assert answer["live"]
    assert answer["refresh"] == 2


def test_without_scripts_the_figures_are_there(client: Client) -> None:
    record()
    page = client.get(BOARD)
    text = texts(page)
    assert payload(page)["charts"].keys() == CHARTS.keys()
    assert text.count("<figure") == len(CHARTS)
    assert '<th scope="row">12:30</th><td>0.04/s</td>' in text
    assert "No alert fires. 1 service answers." in text


def test_nothing_measured_yet_says_what_fills_it(client: Client) -> None:
    text = texts(client.get(BOARD))
    assert "Nothing was measured in the last minute" in text
    assert "The first request fills it." in text
    assert "No view was asked in this time." in text
    assert text.count('<figure class="graph empty"') == len(CHARTS)


@pytest.mark.parametrize("query", [{}, {"range": "15m"}, {"range": "24h", "compare": "off"}])
def test_an_answer_costs_few_queries(
    client: Client, query: dict[str, str], django_assert_max_num_queries: Any
) -> None:
    record()
    rollup.roll_up()
    with django_assert_max_num_queries(6):  # user, two of permissions, two of metrics, alerts
        client.get(DATA, query)


@pytest.mark.parametrize("page", [BOARD, DATA, MINUTE])
def test_an_answer_costs_one_round_trip(
    client: Client, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    read = redis.client.Pipeline.execute
    monkeypatch.setattr(
        redis.client.Pipeline,
        "execute",
        lambda self, *a, **k: calls.append(self) or read(self, *a, **k),
    )
    client.get(page, {"at": NOW.isoformat()})
    assert len(calls) == 1


def test_what_fell_silent_just_now_is_said_at_once(client: Client) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        for seconds, up in ((-40, 1), (-30, 1), (-20, 1), (0, 0)):
            clock.move_to(NOW + timedelta(seconds=seconds))
            metrics.gauge("service_up", up, service="database")
            metrics.gauge("queue_length", 3 * (1 - up), level="low")
            metrics.flush()
        answer = client.get(DATA).json()["parts"]
    assert "database does not answer." in answer["headline"]
    assert "does not answer" in answer["services"]
    assert re.search(r"low.*?<td>3</td>", answer["levels"], re.DOTALL)


def test_a_tail_has_the_newest_steps_alone(client: Client) -> None:
    record()
    whole = client.get(DATA).json()
    tail = client.get(DATA, {"since": (NOW - timedelta(minutes=1)).isoformat()}).json()
    assert (whole["tail"], tail["tail"]) == (False, True)
    assert tail["charts"]["requests"]["x"] == whole["charts"]["requests"]["x"][-2:]
    for name, chart in whole["charts"].items():
        for one, other in zip(chart["lines"], tail["charts"][name]["lines"], strict=True):
            assert one["values"][-2:] == other["values"], name
    assert set(tail["parts"]) == {"headline", "tiles"}


def test_hostile_labels_are_text(client: Client) -> None:
    record(HOSTILE)
    metrics.observe("task_seconds", 1, task=HOSTILE, level=HOSTILE, status="failed")
    metrics.observe("reply_seconds", 1, backend=HOSTILE, status="failed")
    metrics.gauge("pool_connections", 1, alias="default", state=HOSTILE)
    metrics.flush()
    rule = AlertRule.objects.create(name="x", title=HOSTILE, metric="x", threshold=1)
    Alert.objects.create(
        rule=rule, labels={"view": HOSTILE}, state="firing", severity="critical",
        began_at=NOW, fired_at=NOW, seen_at=NOW,
    )  # fmt: skip
    pages = [
        client.get(BOARD, {"view": HOSTILE}),
        client.get(BOARD),
        client.get(MINUTE, {"at": NOW.isoformat()}),
    ]
    answer = client.get(DATA).json()
    for text in [*(page.content.decode() for page in pages), *answer["parts"].values()]:
        assert "<img" not in text
        assert "onerror=alert(1)&gt;" in text or "onerror" not in text
    assert "&lt;img" in answer["parts"]["views"]
    assert "&lt;img" in answer["parts"]["headline"]
    assert HOSTILE in [line["label"] for line in answer["charts"]["pool"]["lines"]]


@pytest.mark.parametrize(
    "query",
    [
        {"range": "1y", "compare": "x", "sort": "id); drop", "view": "\x00", "until": "now", "since": "never"},
        {"since": "2099-01-01T00:00:00Z"},
        {"since": "1999-01-01T00:00:00Z", "until": "1999-01-01T00:00:00Z"},
        {"at": "x", "seconds": "-1"},
        {"at": "1971-01-01T00:00:00Z", "seconds": "99999999"},
        {"at": "8999-01-01T00:00:00Z"},
    ],
)  # fmt: skip
def test_nonsense_is_passed_over(client: Client, query: dict[str, str]) -> None:
    for page in (BOARD, DATA, MINUTE):
        assert client.get(page, query).status_code == 200


def away(url: str = "redis://127.0.0.1:1/0") -> Any:
    return override_settings(PERFORMANCE=with_metrics(LOCATION=url))


def test_redis_away_leaves_what_is_in_rows(client: Client) -> None:
    with time_machine.travel(NOW - timedelta(minutes=5), tick=False):
        record()
    rollup.roll_up()
    with away():
        page, answer = client.get(BOARD), client.get(DATA).json()
        minute = client.get(MINUTE, {"at": (NOW - timedelta(minutes=5)).isoformat()})
    assert answer["notice"] == "Redis is away: figures up to 12:26."
    assert not answer["live"]
    assert answer["until"] < NOW.timestamp()
    assert "app:home" in answer["parts"]["views"]
    assert "figures up to 12:26" in texts(page)
    assert "app:home" in texts(minute)


def test_redis_away_with_no_rows_is_said_too(client: Client) -> None:
    with away():
        assert "no figures from before" in texts(client.get(BOARD))


def test_switched_off_is_said_and_nothing_is_asked_again(client: Client) -> None:
    with override_settings(PERFORMANCE=with_metrics(ENABLED=False)):
        page = client.get(BOARD)
    assert "Metrics are switched off" in texts(page)
    assert payload(page)["refresh"] == 0


def test_alerts_are_named_with_their_way_out() -> None:
    rule = AlertRule.objects.create(name="slow", title="Pages are slow", metric="x", threshold=1)
    alert = Alert.objects.create(
        rule=rule, state="firing", severity="warning", began_at=NOW - timedelta(minutes=9),
        fired_at=NOW - timedelta(minutes=5), seen_at=NOW,
    )  # fmt: skip
    client = staff("view_dashboard", "view_alert", "acknowledge_alert")
    answer = client.get(DATA).json()
    headline = answer["parts"]["headline"]
    assert "1 alert fires, 1 not acknowledged." in headline
    assert "Acknowledge Pages are slow" in headline
    assert f"/admin/performance/alert/{alert.pk}/" in headline
    assert answer["spans"][0]["severity"] == "warning"
    assert answer["spans"][0]["to"] == NOW.timestamp()
    User.objects.all().delete()
    headline = staff("view_dashboard").get(DATA).json()["parts"]["headline"]
    assert "Pages are slow" in headline
    assert 'href="/admin/performance/alert/' not in headline
    assert "Acknowledge" not in headline


def test_one_view_can_be_looked_at_alone(client: Client) -> None:
    record("app:a")
    record("app:b")
    answer = client.get(DATA, {"view": "app:b"}).json()
    assert "app:a" not in answer["parts"]["views"]
    assert "app:b" in answer["parts"]["views"]


def test_any_metric_has_its_charts(client: Client) -> None:
    metrics.observe("steps_seconds", 2, way="long")
    metrics.flush()
    query = {"metric": "steps_seconds", "by": "way"}
    page, answer = client.get(BOARD, query), client.get(DATA, query).json()
    assert "Metric: steps_seconds by way" in texts(page)
    assert payload(page)["charts"].keys() == answer["charts"].keys() == {"values", "rate"}
    assert answer["charts"]["values"]["lines"][0]["label"] == "long p95"
    assert set(answer["parts"]) == {"headline", "tiles"}
    assert "by backend" in texts(client.get(BOARD, {"metric": "reply_cost"}))
    for nonsense in ({"metric": "x'y"}, {"metric": "never_recorded", "by": "<b>"}):
        assert client.get(BOARD, nonsense).status_code == 200


def test_a_minute_tells_what_happened_in_it(client: Client) -> None:
    with time_machine.travel(NOW - timedelta(minutes=4), tick=False):
        record("app:then", "5xx")
    record("app:now")
    then = NOW - timedelta(minutes=4)
    values = {
        "task": "app.tasks.x",
        "level": "low",
        "waited": 1,
        "ran": 2,
        "attempt": 1,
        "started_at": then,
    }
    TaskRun.objects.create(**values, status="failed", error="Boom", finished_at=then)
    TaskRun.objects.create(**values, status="successful", finished_at=NOW)
    text = texts(client.get(MINUTE, {"at": then.isoformat()}))
    assert "2026-03-04 12:26 to 12:27" in text
    assert "app:then" in text
    assert "app:now" not in text
    assert "Single runs are shown to those who may" in text
    assert "No alert was there then." in text
    User.objects.all().delete()
    text = texts(staff("view_dashboard", "view_taskrun").get(MINUTE, {"at": then.isoformat()}))
    assert text.count("app.tasks.x") == 1
    assert "Boom" in text


def test_a_minute_that_is_pruned_is_shown_as_its_hour(client: Client) -> None:
    page = client.get(MINUTE, {"at": (NOW - timedelta(days=3)).isoformat()})
    assert "2026-03-01 12:00 to 13:00" in texts(page)


def test_hours_are_enough_for_a_week(client: Client, django_assert_max_num_queries: Any) -> None:
    one = series("request_seconds", {"view": "app:old", "method": "GET", "status": "2xx"})
    _hours(one, [NOW - timedelta(days=days, hours=1) for days in range(1, 6)])
    with time_machine.travel(NOW - timedelta(minutes=5), tick=False):
        record()
    rollup.roll_up()  # the newest minute tells how far the rows go
    with django_assert_max_num_queries(6):
        answer = client.get(DATA, {"range": "7d"}).json()
    values = answer["charts"]["latency"]["lines"][0]["values"]
    assert [value for value in values[:-1] if value is not None] == [
        pytest.approx(0.5, rel=0.02)
    ] * 5


def _hours(one: Series, starts: list[datetime]) -> None:
    summary = Summary()
    summary.observe(0.5, 100)
    rows.register([(one, Kind.DISTRIBUTION)])
    hours = [start.replace(minute=0, second=0) for start in starts]
    rows.write(rows.HOUR, [rows.Bucket(one.id, hour, summary) for hour in hours])
