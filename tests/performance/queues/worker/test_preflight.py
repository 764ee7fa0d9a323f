from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from structlog.testing import capture_logs

from performance.queues.worker.preflight import warn_of_eviction
from tests.performance.queues.conftest import free_port, use


@pytest.mark.parametrize(("policy", "warned"), [("noeviction", False), ("allkeys-lru", True)])
def test_an_evicting_server_is_named(server: Any, policy: str, warned: bool) -> None:
    server.config_set("maxmemory-policy", policy)
    try:
        with capture_logs() as logs:
            warn_of_eviction(server)
    finally:
        server.config_set("maxmemory-policy", "noeviction")
    assert [entry["event"] for entry in logs] == ["queue_server_evicts"] * warned


@pytest.mark.parametrize("option", ["concurrency", "threads"])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_worker_that_could_do_nothing_does_not_start(option: str, processes: int) -> None:
    with pytest.raises(CommandError, match=f"{option.upper()} is 0"):
        call_command("worker", processes=processes, burst=True, **{option: 0})


def test_a_worker_without_a_server_says_so(settings: Any) -> None:
    use(settings, f"redis://:secret@127.0.0.1:{free_port()}/0")
    with pytest.raises(CommandError, match="The queue server does not answer") as failed:
        call_command("worker", burst=True)
    assert "secret" not in str(failed.value)
