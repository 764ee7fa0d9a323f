from __future__ import annotations


class EmbeddedError(Exception):
    """The embedded servers cannot run. The message says why and what to do about it."""
