from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chatsite.embedded import EmbeddedError
from chatsite.embedded.owner import Owner, reachable, server_owner
from tests.chatsite.embedded.holder import ROOT
from tests.processes import runs, wait_for

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="about what root does")
SPAWN = """
import os, signal, sys, time
from pathlib import Path
from chatsite.embedded.owner import Owner
owner = Owner(os.geteuid(), os.getegid())
child = owner.spawn(["sleep", "60"], log=Path(os.devnull), on_parent_death=signal.SIGTERM)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_an_ordinary_user_runs_the_servers_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = pwd.getpwnam("nobody").pw_uid
    monkeypatch.setattr(os, "geteuid", lambda: user)

    assert server_owner(tmp_path).uid == user


def test_a_user_id_without_a_name_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    with pytest.raises(EmbeddedError, match=r"User id 54321 has no name.*set DATABASE_URL"):
        server_owner(tmp_path)


@root_only
def test_root_runs_them_as_an_unprivileged_user(tmp_path: Path) -> None:
    assert server_owner(tmp_path / "none").uid not in {0, None}


@root_only
def test_root_runs_them_as_the_user_whose_data_it_is(tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 4322)

    assert server_owner(tmp_path) == Owner(4321, 4322)


@root_only
def test_root_without_such_a_user_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", unknown)

    with pytest.raises(EmbeddedError, match=r"no user postgres or nobody.*set DATABASE_URL"):
        server_owner(tmp_path / "none")


@root_only
def test_a_package_behind_a_private_directory_is_copied_once_and_again_when_renewed(
    tmp_path: Path,
) -> None:
    package = tmp_path / "private" / "package"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "program").write_text("first")
    (package / "bin" / "program").chmod(0o700)
    (tmp_path / "private").chmod(0o700)
    (tmp_path / "base").mkdir()

    def copy() -> Path:
        return reachable(package, "bin/program", tmp_path / "base")

    assert copy() == tmp_path / "base" / "packages" / "package" / "bin" / "program"
    assert copy().stat().st_mode & 0o777 == 0o755
    (package / "bin" / "program").write_text("second")
    assert copy().read_text() == "first"
    os.utime(package, (time.time() + 5, time.time() + 5))
    assert copy().read_text() == "second"


def test_servers_see_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "9")
    monkeypatch.setenv("LC_ALL", "xx_XX")

    shown = server_owner(tmp_path / "none").run(["env"]).stdout

    assert "PGPORT" not in shown
    assert "LC_ALL=C\n" in shown


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
def test_a_server_gets_a_signal_when_its_keeper_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SPAWN], cwd=ROOT, stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdout
        child = int(keeper.stdout.readline())
        assert runs(child)
        keeper.send_signal(signal.SIGKILL)

    assert wait_for(lambda: not runs(child))
