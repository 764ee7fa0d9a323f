"""Conversations as files: JSON with the whole tree, which can be read back, and Markdown and HTML to read."""

from __future__ import annotations

from conversations.transfer.reading import MOST_BYTES, Refused, read, take
from conversations.transfer.texts import html, markdown
from conversations.transfer.trees import json, one_by_one

FORMATS = {
    "json": (json, "application/json"),
    "markdown": (markdown, "text/markdown; charset=utf-8"),
    "html": (html, "text/html; charset=utf-8"),
}
ENDINGS = {"json": "json", "markdown": "md", "html": "html"}

__all__ = ["ENDINGS", "FORMATS", "MOST_BYTES", "Refused", "one_by_one", "read", "take"]
