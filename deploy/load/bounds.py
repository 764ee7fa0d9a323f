"""Whom the load may reach, and how much of it there may be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


def refusal(host: str, allowed: str) -> str:
    """Why `host` may not be loaded; empty where it may be."""
    name = (urlsplit(host or "").hostname or "").lower()
    if not name:
        return "--host must be the site's address, such as http://127.0.0.1:8000."
    if name == allowed.lower() or name == "localhost":
        return ""
    with suppress(ValueError):
        if ip_address(name).is_loopback:
            return ""
    return f"{name} is another machine. If it is yours to load, say so: --allow-host {name}"


@dataclass
class Bounds:
    """What is left of what the load may do."""

    users: int
    requests: int
    questions: int

    def take(self, what: str) -> bool:
        """True while there is one more of it."""
        left: int = getattr(self, what)
        setattr(self, what, left - 1)
        return left > 0
