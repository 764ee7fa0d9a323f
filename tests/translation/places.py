"""Where texts stand that visitors read. What only staff read, under /admin/, is English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STAFF = (
    "templates/admin/",
    "templates/conversations/admin/",
    "templates/happened.html",
    "conversations/admin/",
    "chatsite/admin",
    "chatsite/happened/",
    "conversations/management/",
    "conversations/migrations/",
)


def templates() -> Iterator[Path]:
    yield from _files("templates", "**/*.html")
    yield from _files("templates", "**/*.txt")


def python() -> Iterator[Path]:
    for package in ("chatsite", "conversations"):
        yield from _files(package, "**/*.py")


def scripts() -> Iterator[Path]:
    yield from _files("conversations/static/conversations", "*.js")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _files(folder: str, pattern: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).glob(pattern)):
        if not name(path).startswith(STAFF):
            yield path
