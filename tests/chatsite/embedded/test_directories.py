from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chatsite.embedded import EmbeddedError, directories
from tests.chatsite.embedded.holder import ROOT

KEY = """
import sys
from pathlib import Path
from chatsite.embedded import secret_key
print(secret_key(Path(sys.argv[1])))
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_data_directory_is_passable_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        directories.make_data_dir(tmp_path / "a" / "b")
    finally:
        os.umask(before)

    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o711


def test_an_existing_directory_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    directories.make_data_dir(tmp_path)

    assert mode(tmp_path) == 0o750


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedError, match=r"file/\.data cannot be written"):
        directories.make_data_dir(tmp_path / "file" / ".data")


def test_a_directory_of_ours_is_private_also_when_it_was_not(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o777)

    directories.make_ours(tmp_path / "run", os.geteuid(), os.getegid(), mode=0o700)

    assert mode(tmp_path / "run") == 0o700


def test_a_link_that_somebody_put_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(EmbeddedError, match="made by another user"):
        directories.make_ours(tmp_path / "run", os.geteuid(), os.getegid(), mode=0o700)
    assert mode(tmp_path / "elsewhere") == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_users_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    os.chown(tmp_path / "run", 4321, 4321)

    with pytest.raises(EmbeddedError, match="made by another user"):
        directories.make_ours(tmp_path / "run", os.geteuid(), os.getegid(), mode=0o700)


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    key = directories.secret_key(tmp_path)

    assert len(key) > 80
    assert mode(tmp_path / "secret_key") == 0o600
    assert directories.secret_key(tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_secret_key_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("short")

    assert len(directories.secret_key(tmp_path)) > 80


def test_processes_that_start_together_agree_on_the_secret_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KEY, str(tmp_path)]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]

    assert len({process.communicate(timeout=20)[0] for process in started}) == 1
