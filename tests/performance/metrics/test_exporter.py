from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families

from performance import metrics
from performance.metrics import process
from performance.metrics.recorders import requests
from performance.spending import Spending
from tests.performance.health.test_health import with_health
from tests.performance.metrics.settings import with_metrics

URL = "/metrics"
Sample = tuple[str, frozenset[tuple[str, str]]]


def scraped(client: Client) -> dict[Sample, float]:
    response = client.get(URL)
    assert response.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def value(samples: dict[Sample, float], name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def record_a_bit() -> None:
    for seconds in (0.002, 0.03, 7.0):
        answer = ("GET", "2xx", 1234)
        process.record(requests.ended, "c:detail", answer, seconds, (None, Spending()), 1)
    for seconds in (0.001, 0.2):
        metrics.observe("query_seconds", seconds, alias="default", kind="select")
    metrics.count("cache_hits", n=3, alias="default", tier="local")
    metrics.count("cache_misses", alias="default")
    metrics.gauge("queue_length", 5, level="high")
    metrics.count("apples")
    metrics.flush()


def test_it_has_django_prometheuss_name_and_url() -> None:
    assert reverse("prometheus-django-metrics") == URL


def test_totals_levels_and_compatible_names(client: Client) -> None:
    record_a_bit()
    found = scraped(client)

    labels = {"view": "c:detail", "method": "GET", "status": "2xx"}
    assert value(found, "performance_request_seconds_count", **labels) == 3
    assert value(found, "performance_request_seconds_sum", **labels) == pytest.approx(7.032)
    for le, n in (("0.001", 0), ("0.0025", 1), ("0.05", 2), ("5.0", 2), ("10.0", 3), ("+Inf", 3)):
        assert value(found, "performance_request_seconds_bucket", le=le, **labels) == n
    assert value(found, "performance_cache_hits_total", alias="default", tier="local") == 3
    assert value(found, "performance_queue_length", level="high") == 5
    assert value(found, "performance_apples_total") == 1
    assert value(found, "performance_store_up") == 1
    assert value(found, "django_cache_get_total", backend="default") == 4
    assert value(found, "django_db_execute_total", alias="default", vendor="postgresql") == 2
    assert (
        value(
            found,
            "django_http_requests_latency_seconds_by_view_method_count",
            view="c:detail",
            method="GET",
        )
        == 3
    )


def test_totals_go_on_where_a_process_ends(client: Client) -> None:
    record_a_bit()
    before = scraped(client)
    metrics.forget()  # as a process that is replaced
    record_a_bit()
    after = scraped(client)

    name = ("performance_request_seconds_count", "performance_cache_hits_total")
    for sample, number in before.items():
        if sample[0] in name:
            assert after[sample] == 2 * number


def test_a_batch_that_is_sent_twice_counts_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from performance.metrics import flusher, store

    write = store.write

    def interrupted(*args: Any) -> None:
        write(*args)
        monkeypatch.setattr(store, "write", write)
        raise ConnectionError("the reply was lost")

    metrics.count("apples")
    monkeypatch.setattr(store, "write", interrupted)
    assert not metrics.flush()
    metrics.count("apples", n=10)
    assert process._here.flusher is not None
    process._here.flusher._try_at = 0.0
    assert metrics.flush()
    assert metrics.flush()

    assert value(scraped(client), "performance_apples_total") == 11
    assert flusher.MOST_PENDING


def test_all_processes_together_have_few_series(client: Client) -> None:
    with override_settings(PERFORMANCE=with_metrics(MOST_SERIES=5)):
        for number in range(4):
            metrics.forget()  # another process, with other labels
            for label in range(3):
                metrics.count("apples", colour=f"{number}-{label}")
            metrics.flush()
        found = {sample: n for sample, n in scraped(client).items() if "apples" in sample[0]}
    totals = {dict(labels)["colour"]: n for (name, labels), n in found.items() if "total" in name}
    assert len(totals) == 6
    assert totals["other"] == 7
    assert sum(totals.values()) == 12


def test_hostile_labels_stay_in_their_place(client: Client) -> None:
    hostile = 'a"} 1\nperformance_evil 1\n{x="\\'
    metrics.count("apples", colour=hostile)
    metrics.count("apples", kind="<script>")
    metrics.flush()
    samples = scraped(client)

    assert not [name for name, _ in samples if "evil" in name]
    safe = hostile.replace("\n", "\ufffd")
    assert value(samples, "performance_apples_total", colour=safe, kind="") == 1


@pytest.mark.skipif(not shutil.which("promtool"), reason="wants Debian's package prometheus")
def test_promtool_finds_nothing_to_say(client: Client) -> None:
    record_a_bit()
    metrics.count("apples", colour='"\\\n<')
    metrics.flush()
    body = client.get(URL).content
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=body, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_without_redis_it_says_so(client: Client) -> None:
    with override_settings(PERFORMANCE=with_metrics(LOCATION="redis://127.0.0.1:1/0")):
        found = scraped(client)
    assert value(found, "performance_store_up") == 0
    assert not [name for name, _ in found if "request_seconds" in name]


@pytest.mark.parametrize(
    ("request_", "allowed"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, True),
        ({"REMOTE_ADDR": "::1"}, True),
        ({"REMOTE_ADDR": "127.8.9.10"}, True),
        ({"REMOTE_ADDR": "192.168.1.2"}, False),
        ({"REMOTE_ADDR": ""}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.5"}, False),
        ({"REMOTE_ADDR": "203.0.113.5", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=203.0.113.5"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": ""}, False),
        ({"REMOTE_ADDR": "203.0.113.5", "HTTP_AUTHORIZATION": f"Bearer {'t' * 32}"}, True),
        ({"REMOTE_ADDR": "203.0.113.5", "HTTP_AUTHORIZATION": f"Basic {'t' * 32}"}, False),
        ({"REMOTE_ADDR": "203.0.113.5", "HTTP_AUTHORIZATION": "Bearer "}, False),
    ],
)
def test_who_may_read_it(client: Client, request_: dict[str, str], allowed: bool) -> None:
    with override_settings(PERFORMANCE=with_health(METRICS_TOKEN="t" * 32)):
        assert client.get(URL, **request_).status_code == (200 if allowed else 403)  # type: ignore[arg-type]


def test_behind_a_proxy_loopback_is_nobody(client: Client) -> None:
    with override_settings(PERFORMANCE=with_health(METRICS_LOOPBACK=False)):
        assert client.get(URL).status_code == 403
        assert client.get(URL, headers={"Authorization": "Bearer "}).status_code == 403
