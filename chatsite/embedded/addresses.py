"""Where the embedded servers live: paths and URLs, computed from the data directory alone."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

from chatsite.embedded.errors import EmbeddedError

# sun_path holds 108 bytes with its closing NUL on Linux, 104 elsewhere (unix(7)).
SOCKET_PATH_LIMIT = 100
LONGEST_SOCKET = ".s.PGSQL.5432"
ROLE = "chatsite"


def home(data_dir: Path) -> Path:
    """Where the servers keep their files: the data directory, if their user can get there.

    PostgreSQL refuses to run as root, so root runs the servers as another user, who cannot pass a
    private parent such as /root: then /var/tmp serves.
    """
    if os.geteuid() or passable(data_dir):
        return data_dir
    return Path("/var/tmp") / f"chatsite-{_digest(data_dir)}"  # noqa: S108


def passable(path: Path) -> bool:
    """True where every existing directory down to `path` lets other users through."""
    return all(
        parent.stat().st_mode & stat.S_IXOTH for parent in [path, *path.parents] if parent.exists()
    )


def socket_dir(data_dir: Path) -> Path:
    """A private directory whose sockets' paths are short enough."""
    directory = home(data_dir) / "run"
    if len(os.fsencode(directory / LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT:
        return directory
    return Path(tempfile.gettempdir()) / f"chatsite-{os.geteuid()}-{_digest(data_dir)}"


def database_url(data_dir: Path) -> str:
    return f"postgres://{ROLE}@{quote(str(socket_dir(data_dir)), safe='')}/{ROLE}"


def cache_url(data_dir: Path) -> str:
    return f"unix://{quote(str(socket_dir(data_dir) / 'cache.sock'))}?db=0"


def queue_url(data_dir: Path) -> str:
    return f"unix://{quote(str(socket_dir(data_dir) / 'queue.sock'))}?db=0"


def secret_key(data_dir: Path) -> str:
    """The SECRET_KEY of local use: made once, readable by its owner alone."""
    path = data_dir / "secret_key"
    try:
        make_directory(data_dir)
        if not path.exists():
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(64), encoding="ascii")
            # link() fails where another process was faster; its key then counts.
            if not path.exists():
                fresh.rename(path)
            fresh.unlink(missing_ok=True)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise EmbeddedError(
            f"{data_dir} cannot be written: {error.strerror}. Set DATA_DIR to a directory that can."
        ) from None


def make_directory(path: Path, *, mode: int = 0o711) -> None:
    """Makes a directory of ours, or refuses one that somebody else has put there."""
    path.mkdir(parents=True, exist_ok=True)
    if path.stat().st_uid == os.geteuid():
        path.chmod(mode)


def _digest(data_dir: Path) -> str:
    return hashlib.blake2b(os.fsencode(data_dir), digest_size=5).hexdigest()
