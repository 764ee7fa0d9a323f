"""Directories and files of ours, some of them in /tmp, where anybody may have made them first."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from chatsite.embedded.errors import EmbeddedError

KEY_LENGTH = 64  # random bytes; about 86 characters


def make_data_dir(path: Path) -> None:
    """Makes `path` and its parents, passable whatever the umask; leaves existing ones as they are.

    What is private lies in directories and files of its own mode below. Raises EmbeddedError.
    """
    try:
        for directory in [*reversed(path.parents), path]:
            if not directory.exists():
                with suppress(FileExistsError):
                    directory.mkdir()
                    directory.chmod(0o711)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(0, "Permission denied")
    except OSError as error:
        raise EmbeddedError(
            f"{path} cannot be written ({error.strerror}). It is made by the first who runs the "
            "site: give it to this user, or set DATA_DIR to another directory."
        ) from None


def make_ours(path: Path, uid: int, gid: int, *, mode: int) -> None:
    """Makes `path` for that user, or refuses one that somebody else has put there.

    Raises EmbeddedError.
    """
    try:
        with suppress(FileExistsError):
            path.mkdir(mode=mode)
        found = path.lstat()  # a symlink could lead anywhere
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), uid}:
            raise EmbeddedError(f"{path} was made by another user; remove it, or move DATA_DIR.")
        if os.geteuid() == 0:
            os.chown(path, uid, gid)
        path.chmod(mode)
    except OSError as error:
        raise EmbeddedError(f"{path} cannot be made: {error.strerror}.") from None


def secret_key(data_dir: Path) -> str:
    """The SECRET_KEY of local use: made once, readable by its owner alone. Raises EmbeddedError."""
    make_data_dir(data_dir)
    path = data_dir / "secret_key"
    try:
        if path.exists() and path.stat().st_size < KEY_LENGTH:
            path.unlink()  # the disk was full when it was written
        if not path.exists():
            _write_key(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise EmbeddedError(f"{path} cannot be read or made: {error.strerror}.") from None


def _write_key(path: Path) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(KEY_LENGTH), encoding="ascii")
    try:
        # link() never replaces: where two processes come here at once, the first one's key counts.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink()
