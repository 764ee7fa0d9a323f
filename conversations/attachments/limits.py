"""How much may be attached, and how much of it is read: settings.ATTACHMENTS, typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

MEGA = 2**20


@dataclass(frozen=True)
class Limits:
    """Sizes in MB, times in seconds.

    `file_mb` of one file, `user_mb` of all of a user's, `per_message` files with one message.
    Of a file at most `pages` pages and `characters` characters are read, in `seconds` of time and
    `memory_mb` of memory. A picture may have `pixels` pixels and is made at most `edge` wide and high.
    `tokens` is what a model is told of a conversation's files with each question, and `wait` how
    long an answer waits for files that are still being read. `scanner` is the command that looks at
    each file first, and `accel` the internal address under which nginx serves the files.
    """

    file_mb: int = 10
    per_message: int = 5
    user_mb: int = 200
    pages: int = 2000
    characters: int = 2_000_000
    seconds: int = 60
    memory_mb: int = 768
    pixels: int = 50_000_000
    edge: int = 2048
    tokens: int = 12_000
    wait: int = 30
    scanner: tuple[str, ...] = ()
    accel: str = ""

    @property
    def file_bytes(self) -> int:
        return self.file_mb * MEGA

    @property
    def user_bytes(self) -> int:
        return self.user_mb * MEGA

    @property
    def patience(self) -> timedelta:
        """After this long a worker that reads a file is taken for dead."""
        return timedelta(seconds=2 * self.seconds + 60)


def limits() -> Limits:
    """As they are set now; a test may change them."""
    given = {key.lower(): value for key, value in getattr(settings, "ATTACHMENTS", {}).items()}
    return Limits(**given)
