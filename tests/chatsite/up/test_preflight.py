from __future__ import annotations

import errno
import resource
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from chatsite.up import preflight
from chatsite.up.problems import Problem
from tests.servers import free_port


def test_a_free_port_passes() -> None:
    preflight.check_port("127.0.0.1", free_port())


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Problem, match=f"Port {port} .* taken"):
            preflight.check_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Problem, match=r"cannot listen on 192\.0\.2\.1"):
        preflight.check_port("192.0.2.1", free_port())


def test_a_port_for_root_says_so() -> None:
    assert "above 1023" in preflight._no_port("127.0.0.1", 80, OSError(errno.EACCES, "denied"))


def test_a_full_disk_says_how_much_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 << 20))
    with pytest.raises(Problem, match="No disk space: 3 MB left"):
        preflight.check_room(tmp_path / "not" / "there")


def test_the_file_limit_is_raised_to_what_the_kernel_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(preflight.WANTED_FILES, hard) if hard != -1 else preflight.WANTED_FILES
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        preflight.raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == wanted
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_is_loopback(host: str, answer: bool) -> None:
    assert preflight.is_loopback(host) is answer
