from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

import pytest

from chatsite.embedded import EmbeddedError, cache_url, database_url, queue_url, secret_key
from chatsite.embedded.addresses import SOCKET_PATH_LIMIT, home, socket_dir


def test_addresses_differ_and_name_the_data_directory(data_dir: Path) -> None:
    urls = {database_url(data_dir), cache_url(data_dir), queue_url(data_dir)}
    assert len(urls) == 3
    assert all(str(data_dir) in unquote(url) for url in urls)


def test_a_long_path_gets_short_sockets(data_dir: Path) -> None:
    sockets = socket_dir(data_dir / ("x" * 120))
    assert len(str(sockets)) < SOCKET_PATH_LIMIT
    assert sockets != socket_dir(data_dir / ("y" * 120))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")
def test_root_keeps_data_where_the_servers_user_can_pass(data_dir: Path) -> None:
    private = data_dir / "private"
    private.mkdir(mode=0o700)
    assert home(data_dir) == data_dir
    assert home(private / "data").parent == Path("/var/tmp")


def test_the_secret_key_is_made_once_for_its_owner_alone(data_dir: Path) -> None:
    key = secret_key(data_dir)
    assert len(key) >= 50
    assert secret_key(data_dir) == key
    assert (data_dir / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="set DATA_DIR"):
        secret_key(tmp_path / "file" / "data")
