from __future__ import annotations


class Problem(Exception):
    """The site cannot start or go on. The message says why and what to do about it."""
