"""What a provider says of its limits in the headers of an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
KINDS = ("requests", "tokens")


def seconds(text: str | None) -> float | None:
    """6m0s, 20ms, 1.5s, or a plain number of seconds; None for anything else."""
    value = (text or "").strip().lower()
    if re.fullmatch(r"\d{1,7}(\.\d{1,9})?", value):
        return float(value)
    if len(value) > 40 or not _WHOLE.fullmatch(value):
        return None
    return sum(float(number) * UNITS[unit] for number, unit in _PART.findall(value))


def exhausted_for(headers: Mapping[str, str]) -> float:
    """Seconds until the provider takes requests again, by `x-ratelimit-remaining-*` of 0; else 0."""
    waits = [
        seconds(headers.get(f"x-ratelimit-reset-{kind}")) or 0.0
        for kind in KINDS
        if (headers.get(f"x-ratelimit-remaining-{kind}") or "").strip() == "0"
    ]
    return max(waits, default=0.0)


def told(headers: Mapping[str, str]) -> dict[str, str]:
    """The limits that it names, as numbers alone: for staff to see."""
    found = {}
    for kind in KINDS:
        for what in ("limit", "remaining"):
            value = (headers.get(f"x-ratelimit-{what}-{kind}") or "").strip()
            if value.isascii() and value.isdigit() and len(value) < 12:
                found[f"{what}_{kind}"] = value
    return found
