from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from performance.queues.worker.preflight import warn_of_eviction


@pytest.mark.parametrize(("policy", "warned"), [("noeviction", False), ("allkeys-lru", True)])
def test_an_evicting_server_is_named(server: Any, policy: str, warned: bool) -> None:
    server.config_set("maxmemory-policy", policy)
    try:
        with capture_logs() as logs:
            warn_of_eviction(server)
    finally:
        server.config_set("maxmemory-policy", "noeviction")
    assert [entry["event"] for entry in logs] == ["queue_server_evicts"] * warned
