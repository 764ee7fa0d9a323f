"""Figures as people read them; static/performance/dashboard/format.js says the same in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Unit = Literal["seconds", "bytes", "ratio", "rate", "count"]


def unit_of(metric: str) -> Unit:
    """The unit that a metric's name ends in; a count without one."""
    ends: dict[str, Unit] = {"_seconds": "seconds", "_bytes": "bytes", "_ratio": "ratio"}
    return next((unit for end, unit in ends.items() if metric.endswith(end)), "count")


def shown(value: float | None, unit: Unit) -> str:
    """`value` as text with its unit; a dash for what is not known."""
    return "–" if value is None else _UNITS[unit](value)  # noqa: RUF001


def _digits(value: float) -> str:
    size = abs(value)
    if size >= 100 or size == 0:
        return f"{value:,.0f}"
    if size < 0.01:
        return f"{value:.2g}" if size >= 1e-4 else f"{value:.1e}".replace("e-0", "e-")
    return f"{value:.{1 if size >= 10 else 2}f}".rstrip("0").rstrip(".")


def _seconds(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0 s"
    if size < 0.001:
        return f"{_digits(value * 1e6)} µs"
    if size < 1:
        return f"{_digits(value * 1e3)} ms"
    return f"{_digits(value)} s" if size < 120 else f"{_digits(value / 60)} min"


def _bytes(value: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if abs(value) < 1024:
            return f"{_digits(value)} {unit}"
        value /= 1024
    return f"{_digits(value)} TB"


_UNITS: dict[Unit, Callable[[float], str]] = {
    "seconds": _seconds,
    "bytes": _bytes,
    "ratio": lambda value: f"{_digits(value * 100)} %",
    "rate": lambda value: f"{_digits(value)}/s",
    "count": _digits,
}
