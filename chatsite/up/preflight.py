"""What can be known to fail before anything starts."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import socket
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from chatsite.up.problems import Problem

ROOM = 50 << 20  # bytes; a new database wants more and says so itself
WANTED_FILES = 65536


def check_port(host: str, port: int) -> None:
    """Raises Problem where the web server could not listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            # As the server does: a port whose last connections still linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except (OSError, OverflowError) as error:
        raise Problem(_no_port(host, port, error)) from None


def check_room(directory: Path) -> None:
    """Raises Problem where the disk is full."""
    place = next(parent for parent in (directory, *directory.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < ROOM:
        raise Problem(
            f"No disk space: {free >> 20} MB left for {directory}, and the site wants {ROOM >> 20} MB.\n"
            "Free some, or set DATA_DIR to a directory on another disk."
        )


def raise_file_limit() -> None:
    """Each stream is an open file, and the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def is_root() -> bool:
    return os.geteuid() == 0


def _no_port(host: str, port: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program, perhaps by this site already.\n"
            f"Stop that one, or choose another port: PORT={_other(port)} make run"
        )
    if number in {errno.EACCES, errno.EPERM}:
        return f"Port {port} is for root alone. Choose one above 1023: PORT=8000 make run"
    reason = getattr(error, "strerror", None) or str(error)
    return f"The site cannot listen on {host} port {port}: {reason}."


def _other(port: int) -> int:
    return port + 1 if port < 65535 else 8001
