"""Where the embedded servers live: paths and URLs, computed from the data directory alone."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from urllib.parse import quote

# sun_path holds 108 bytes with its closing NUL on Linux, 104 elsewhere (unix(7)).
SOCKET_PATH_LIMIT = 103
PORT = 5432  # PostgreSQL names its socket after it; said in the URL, for PGPORT may be set
LONGEST_SOCKET = f".s.PGSQL.{PORT}.lock"
ROLE = "chatsite"
SHARED = Path("/tmp")  # noqa: S108  # not TMPDIR, which may differ between two shells


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
    return SHARED / f"chatsite-{os.geteuid()}-{_digest(data_dir)}"


def database_url(data_dir: Path) -> str:
    return f"postgres://{ROLE}@{quote(str(socket_dir(data_dir)), safe='')}:{PORT}/{ROLE}"


def cache_url(data_dir: Path) -> str:
    return f"unix://{quote(str(socket_dir(data_dir) / 'cache.sock'))}?db=0"


def queue_url(data_dir: Path) -> str:
    return f"unix://{quote(str(socket_dir(data_dir) / 'queue.sock'))}?db=0"


def _digest(data_dir: Path) -> str:
    return hashlib.blake2b(os.fsencode(data_dir), digest_size=5).hexdigest()
