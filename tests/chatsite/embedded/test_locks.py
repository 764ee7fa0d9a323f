from __future__ import annotations

import os
import time
from pathlib import Path

from chatsite.embedded import locks


def test_shared_locks_go_together_and_keep_a_sole_one_out(tmp_path: Path) -> None:
    with locks.opened(tmp_path, "x") as one, locks.opened(tmp_path, "x") as two:
        assert locks.take(one, shared=True)
        assert locks.take(two, shared=True)
        locks.release(one)
        assert not locks.take(one)
        locks.release(two)
        assert locks.take(one)


def test_who_waits_for_a_lock_gives_up_in_time(tmp_path: Path) -> None:
    with locks.opened(tmp_path, "x") as one, locks.opened(tmp_path, "x") as two:
        locks.take(one)
        began = time.monotonic()
        assert not locks.take(two, seconds=0.1)
        assert 0.1 <= time.monotonic() - began < 5


def test_children_do_not_inherit_a_lock(tmp_path: Path) -> None:
    with locks.opened(tmp_path, "x") as file:
        assert not os.get_inheritable(file.fileno())


def test_a_broken_or_missing_report_is_an_empty_one(tmp_path: Path) -> None:
    assert locks.state(tmp_path) == {}
    (tmp_path / locks.STATE).write_text('{"pid": 1')
    assert locks.state(tmp_path) == {}


def test_a_removed_data_directory_has_no_keeper(tmp_path: Path) -> None:
    assert not locks.keeper_lives(tmp_path / "gone")
