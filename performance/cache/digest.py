"""One short name for a structure of plain values, whatever the order of its keys."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import Any

import msgspec


def digest(*parts: Any) -> str:
    """The same for equal parts. Numbers, booleans and strings that look alike stay apart.

    Raises TypeError for what has no JSON form.
    """
    text = msgspec.json.encode(parts, order="deterministic")
    if b"null" in text:  # which None is, and NaN and the infinities are made
        text += json.dumps(parts, sort_keys=True, default=lambda other: None).encode()
    return hashlib.blake2b(text, digest_size=20).hexdigest()


def normalised(text: str) -> str:
    """`text` in one Unicode form and without blanks at its ends; blanks inside may be meaning."""
    return unicodedata.normalize("NFC", text).strip()
