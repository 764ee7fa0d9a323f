"""Connections while the server is away and when it is back, through a proxy that can die."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from chatsite.postgresql import base, outage
from chatsite.postgresql.base import DatabaseWrapper
from chatsite.postgresql.errors import is_away
from tests.proxy import TcpProxy
from tests.site import postgresql_socket

ALIAS = "behind the proxy"


@pytest.fixture(autouse=True)
def _databases(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """All of them, where the mark django_db knows those of the settings alone."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    with TcpProxy(postgresql_socket()) as proxy:
        yield proxy


@pytest.fixture
def database(proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabaseWrapper]:
    """One connection of a pool whose patience is short; tries of a dead server are an hour apart."""
    monkeypatch.setattr(outage, "PAUSE", 3600)
    settings: dict[str, Any] = deepcopy(connection.settings_dict)
    settings |= {"HOST": "127.0.0.1", "PORT": proxy.port}
    settings["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 2, "timeout": 0.5}
    monkeypatch.setitem(connections.settings, ALIAS, settings)
    database = connections[ALIAS]
    assert isinstance(database, DatabaseWrapper)
    yield database
    database.close()
    database.close_pool()
    del connections[ALIAS]
    base._outages.pop(ALIAS, None)


def ask(database: DatabaseWrapper) -> Any:
    """A statement as a request makes it, which gives its connection back."""
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone()[0]
    finally:
        database.close()


def test_a_server_that_is_away_is_tried_by_one_caller_and_used_when_it_is_back(
    database: DatabaseWrapper, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(database) == 1
    proxy.close()
    with pytest.raises(OperationalError) as first:
        ask(database)
    assert is_away(first.value)
    proxy.open()
    lines = len(proxy.lines)
    with pytest.raises(OperationalError, match="is away"):
        ask(database)
    assert len(proxy.lines) == lines  # nobody tried
    monkeypatch.setattr(base._outages[ALIAS], "_try_at", 0.0)
    assert ask(database) == 1
    assert ask(database) == 1


def test_a_pool_that_is_used_up_is_no_outage(database: DatabaseWrapper) -> None:
    assert ask(database) == 1  # the first of a process looks at the server's version, too
    others = [DatabaseWrapper(database.settings_dict, ALIAS) for _ in range(2)]
    for other in others:
        other.connect()
    with pytest.raises(OperationalError):
        ask(database)
    others[0].close()
    assert ask(database) == 1
    others[1].close()


def test_a_statement_that_took_too_long_says_nothing_of_the_server() -> None:
    with pytest.raises(OperationalError) as raised, connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1; SELECT pg_sleep(5)")
    connection.close()
    assert not is_away(raised.value)
