from __future__ import annotations

from pathlib import Path

import pytest
import redis

from chatsite.embedded import EmbeddedError, valkey
from chatsite.embedded.owner import server_owner
from chatsite.embedded.valkey import Valkey


def test_the_cache_may_forget_and_the_queue_may_not(
    cache_redis: redis.Redis, queue_redis: redis.Redis
) -> None:
    assert cache_redis.config_get("maxmemory*") == {
        **cache_redis.config_get("maxmemory*"),
        "maxmemory": str(256 << 20),
        "maxmemory-policy": "allkeys-lfu",
    }
    assert queue_redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.parametrize("name", ["cache", "queue"])
def test_neither_listens_on_a_network(name: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(f"{name}_redis").config_get("port") == {"port": "0"}


def test_only_the_queue_is_written_to_disk(tmp_path: Path) -> None:
    owner = server_owner(tmp_path / "none")
    cache = Valkey("cache", tmp_path, tmp_path, owner, persistent=False)
    queue = Valkey("queue", tmp_path, tmp_path, owner, persistent=True)

    assert (cache.settings["appendonly"], cache.settings["save"]) == ("no", "")
    assert (queue.settings["appendonly"], queue.settings["appendfsync"]) == ("yes", "everysec")


def test_a_missing_wheel_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey, "find_spec", lambda _name: None)

    with pytest.raises(EmbeddedError, match=r"make run.*or set CACHE_URL and QUEUE_URL"):
        Valkey("cache", tmp_path, tmp_path, server_owner(tmp_path / "none"), persistent=False)
