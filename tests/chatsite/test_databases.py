from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite.databases import postgresql, redis_server, same_server


def test_no_url_is_no_database() -> None:
    assert postgresql("", pool_size=3) == {}


def test_the_pool_has_no_queue_that_could_die() -> None:
    config = postgresql("postgres://me:pass@db.example.org:5433/chat", pool_size=6)
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example.org", 5433, "chat")
    assert config["CONN_HEALTH_CHECKS"]
    assert config["OPTIONS"]["pool"]["max_size"] == 6
    assert "max_waiting" not in config["OPTIONS"]["pool"]


def test_a_socket_directory_is_a_host() -> None:
    assert postgresql("postgres://me@%2Frun%2Fdb/chat", pool_size=3)["HOST"] == "/run/db"


def test_options_of_the_url_are_kept() -> None:
    config = postgresql("postgres://me@db/chat?sslmode=require&connect_timeout=9", pool_size=3)
    assert config["OPTIONS"]["sslmode"] == "require"
    assert int(config["OPTIONS"]["connect_timeout"]) == 9


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:s3cret@db/chat",
        "s3cret",
        "postgres://me:s3cret@db:x/",
        "postgres://me:s3cret@db",
    ],
)
def test_other_urls_are_refused_without_showing_them(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as raised:
        postgresql(url, pool_size=3)
    assert "s3cret" not in str(raised.value)


def test_two_urls_of_one_server_are_seen_through() -> None:
    assert same_server("redis://c/0", "redis://C:6379/1")
    assert same_server("unix:///run/r.sock?db=0", "unix:///run/r.sock?db=1")
    assert not same_server("redis://c/0", "redis://q/0")
    assert not same_server("redis://c:6379", "redis://c:6380")
    assert not same_server("redis+sentinel://s1:1,s2:2/main/1", "redis+cluster://n1:1,n2:2")


@pytest.mark.parametrize(
    "url",
    [
        *("", "redis://c", "redis://c/", "rediss://:p%40ss@c:6380/1?ssl_cert_reqs=none"),
        *("redis://[::1]:6379/0", "unix:///run/c.sock?db=1", "redis://a/1,redis://b/1"),
        *("redis+sentinel://s1:26379,s2:26379/main/1", "redis+cluster://n1:7000,n2:7000"),
    ],
)
def test_redis_urls(url: str) -> None:
    assert redis_server("CACHE_URL", url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://me:s3cret@c/0", "s3cret", "redis://me:s3cret@c:x/0", "redis://me:s3/cret@c/0"),
        *("redis://me:s3cret@/0", "redis://me:s3cret@c/cache", "redis://me:s3cret@c:0/0"),
    ],
)
def test_other_redis_urls_are_refused_without_showing_them(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CACHE_URL must look like") as raised:
        redis_server("CACHE_URL", url)
    assert "s3" not in str(raised.value)
