"""A real Prometheus scrapes the running site and takes our rules."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from tests.servers import free_port
from tests.site import Site

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-prometheus-in-tests"
PATIENCE = 40.0  # seconds


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[str]:
    """The URL of a Prometheus whose configuration is the one that we ship, but for its target."""
    directory.mkdir()
    shipped = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
    ours = shipped.replace("127.0.0.1:8000", target).replace("_interval: 10s", "_interval: 1s")
    (directory / "prometheus.yml").write_text(ours)
    (directory / "metrics_token").write_text(TOKEN)
    shutil.copy(ROOT / "deploy/prometheus/rules.yml", directory)
    port = free_port()
    with (directory / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(15)


def _eventually(ask: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if found := ask():
                return found
        except (URLError, ConnectionError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"never came: {what}")


def _get(url: str) -> Any:
    with urlopen(url, timeout=5) as response:
        return json.load(response)["data"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not shutil.which("prometheus"), reason="wants Debian's package prometheus")
def test_prometheus_scrapes_the_site_and_loads_the_rules(tmp_path: Path) -> None:
    """Slow because a real site and a real Prometheus start."""
    site = Site(tmp_path, METRICS_TOKEN=TOKEN, BEHIND_PROXY="on")
    try:
        site.start_web()
        site.wait_until_ready()
        with prometheus(tmp_path / "prometheus", f"127.0.0.1:{site.port}") as url:
            with urlopen(f"{site.url}/accounts/login/", timeout=20) as page:
                page.read()
            query = 'performance_request_seconds_count{view="account_login"}'
            series = _eventually(
                lambda: _get(f"{url}/api/v1/query?query={quote(query)}")["result"], query
            )
            assert series[0]["metric"]["status"] == "2xx"
            (target,) = _get(f"{url}/api/v1/targets")["activeTargets"]
            assert (target["health"], target["lastError"]) == ("up", "")
            (group,) = _eventually(lambda: _evaluated(url), "an evaluation of the rules")
            assert {rule["health"] for rule in group["rules"]} == {"ok"}
        with pytest.raises(URLError):
            urlopen(Request(f"{site.url}/metrics"), timeout=20)
    finally:
        site.__exit__(None, None, None)


def _evaluated(url: str) -> Any:
    groups = _get(f"{url}/api/v1/rules")["groups"]
    done = all(rule["health"] != "unknown" for group in groups for rule in group["rules"])
    return groups if groups and done else None
