"""The load scenario that is shipped, for some seconds against the real site."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from conversations.forms import SearchForm
from tests.site import ROOT, Site

FAST = ("--users", "6", "--spawn-rate", "6", "--think", "0-0.1", "--run-time", "40s")
ENOUGH = ("--most-requests", "200")  # for every act to be among them


def locust(*arguments: str) -> subprocess.CompletedProcess[str]:
    config = ROOT / "deploy/load/locust.conf"
    return subprocess.run(
        [sys.executable, "-m", "locust", "--config", str(config), "--json", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow  # starts the site, and locust beside it
def test_people_sign_up_or_have_a_session_and_read_their_answers(
    tmp_path: Path, cache_redis: Any, queue_redis: Any
) -> None:
    accounts = tmp_path / "accounts.csv"
    with accounts.open("w") as file:
        call_command("load_accounts", "5", stdout=file)
    with Site(tmp_path, LOG_LEVEL="ERROR") as site:
        signed_in = locust("--host", site.url, "--accounts", str(accounts), *ENOUGH, *FAST)
        signing_up = locust("--host", site.url, "--most-requests", "12", *FAST, "--users", "1")

    assert signed_in.returncode == 0, signed_in.stdout + signed_in.stderr
    rows = {row["name"]: row for row in json.loads(signed_in.stdout)}
    for name in ("/", "/c/[id]/", "/search/", "/c/[id]/messages/", "the whole answer"):
        assert rows[name]["num_requests"] > 0, name
    assert sum(row["num_failures"] for row in rows.values()) == 0
    assert rows["/ (begun)"]["num_requests"] == 5
    assert "has no more rows" in signed_in.stderr  # of the sixth, who has no account

    assert signing_up.returncode == 0, signing_up.stdout + signing_up.stderr
    assert "--most-requests is used up" in signing_up.stderr
    assert '"/accounts/signup/"' in signing_up.stdout


def test_locust_ends_before_it_asks_another_machine() -> None:
    done = locust("--host", "https://chat.example.org", *FAST)
    assert done.returncode == 1
    assert "chat.example.org is another machine" in done.stderr
    assert "num_requests" not in done.stdout


def test_what_is_searched_for_is_what_the_form_takes() -> None:
    scenario = (ROOT / "deploy/load/locustfile.py").read_text()
    (name,) = re.findall(r'"/search/", params=\{"(\w+)"', scenario)
    assert name in SearchForm.base_fields


@pytest.fixture(scope="module")
def bounds() -> dict[str, Any]:
    # The locustfile itself would make gevent of this process.
    return runpy.run_path(str(ROOT / "deploy/load/bounds.py"))


@pytest.mark.parametrize(
    ("host", "allowed", "said"),
    [
        ("https://chat.example.org", "", "--allow-host chat.example.org"),
        ("https://chat.example.org", "example.org", "another machine"),
        ("http://127.0.0.1.example.org", "", "another machine"),
        ("http://localhost@chat.example.org", "", "another machine"),
        ("http://10.0.0.1:8000", "", "another machine"),
        ("127.0.0.1:8000", "", "--host must be"),
        ("", "", "--host must be"),
    ],
)
def test_another_machine_wants_a_word_of_its_operator(
    bounds: dict[str, Any], host: str, allowed: str, said: str
) -> None:
    assert said in bounds["refusal"](host, allowed)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("http://127.0.0.1:8000", ""),
        ("http://[::1]:8000", ""),
        ("http://localhost", ""),
        ("https://chat.example.org", "Chat.example.org"),
    ],
)
def test_this_machine_and_the_allowed_one_may_be_loaded(
    bounds: dict[str, Any], host: str, allowed: str
) -> None:
    assert bounds["refusal"](host, allowed) == ""


def test_what_is_used_up_stays_so(bounds: dict[str, Any]) -> None:
    left = bounds["Bounds"](users=1, requests=2, questions=0)
    assert [left.take("requests") for _ in range(4)] == [True, True, False, False]
    assert not left.take("questions")


def test_the_manual_names_options_that_there_are() -> None:
    manual = (ROOT / "docs/operations/load.md").read_text()
    named = set(re.findall(r"(?<!-)--[a-z][a-z-]+", manual)) - {
        "--require-hashes",
        "--forget",
        "--minutes",
    }
    # Its own options locust does not show here.
    helped = locust("--help").stdout + (ROOT / "deploy/load/locustfile.py").read_text()
    assert {name for name in named if name not in helped} == set()
    assert {"--allow-host", "--most-questions", "--think"} < named
