from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatsite.embedded import commands, missing_servers, servers_for

ROOT = Path(__file__).parents[3]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The servers that a command would have run with."""
    names: list[str] = []

    @contextmanager
    def record(_data_dir: Path, wanted: tuple[str, ...]) -> Iterator[None]:
        names.extend(wanted)
        yield

    for key in ("DATABASE_URL", "CACHE_URL", "QUEUE_URL"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr(commands, "running", record)
    return names


@pytest.mark.parametrize(
    "command", ["migrate", "worker", "shell", "seed_demo", "check --database x"]
)
def test_commands_that_need_servers(command: str, started: list[str], settings: Any) -> None:
    settings.DEBUG = True
    with servers_for(["manage.py", *command.split()]):
        assert started == ["database", "cache", "queue"]


@pytest.mark.parametrize("command", ["", "check", "help", "migrate --help", "up"])
def test_commands_that_do_not(command: str, started: list[str], settings: Any) -> None:
    settings.DEBUG = True
    with servers_for(["manage.py", *command.split()]):
        assert not started


def test_production_has_no_embedded_servers(started: list[str], settings: Any) -> None:
    settings.DEBUG = False
    with servers_for(["manage.py", "migrate"]):
        assert not started


def test_an_address_or_its_file_replaces_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("DATABASE_URL", "CACHE_URL", "QUEUE_URL"):
        monkeypatch.delenv(key, raising=False)
    assert missing_servers() == ("database", "cache", "queue")
    monkeypatch.setenv("CACHE_URL", "redis://cache")
    monkeypatch.setenv("DATABASE_URL_FILE", "/run/secrets/database")
    assert missing_servers() == ("queue",)


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_production_without_addresses_names_what_is_missing(command: str) -> None:
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={**kept, "DEBUG": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "DATABASE_URL, CACHE_URL, QUEUE_URL" in done.stderr
    assert "Traceback" not in done.stderr
