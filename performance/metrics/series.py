"""A series is a metric's name with its labels; here both are made safe and few."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
OTHER = "other"
MOST_LABELS = 8
LONGEST_VALUE = 120

# Control characters and half surrogates: no store, log or page could keep them apart.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BETWEEN, _BEHIND = "\x1f", "\x1e"  # such characters, so no value holds them

Labels = tuple[tuple[str, str], ...]


class BadMetric(ValueError):
    """A name or a label that no series can have."""


@dataclass(frozen=True)
class Series:
    """One name and its labels, sorted by label."""

    name: str
    labels: Labels

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.labels))

    @cached_property
    def text(self) -> str:
        """The series as one string, and back with `parse`."""
        return _BETWEEN.join(
            [self.name, *(f"{name}{_BEHIND}{value}" for name, value in self.labels)]
        )

    @cached_property
    def id(self) -> int:
        """A signed 64-bit number that every process computes alike."""
        digest = hashlib.blake2b(self.text.encode(), digest_size=8).digest()
        return int.from_bytes(digest, signed=True)

    def other(self) -> Series:
        """The series that takes what is too much for this metric."""
        return Series(self.name, tuple((name, OTHER) for name, _ in self.labels))


@lru_cache(maxsize=4096)  # every slot of every process names the same ones
def parse(text: str) -> Series:
    name, *labels = text.split(_BETWEEN)
    parted = (label.partition(_BEHIND) for label in labels)
    return Series(name, tuple((label, value) for label, _, value in parted))


def series(name: str, labels: Mapping[str, object]) -> Series:
    """The series of a caller's words. Raises BadMetric where they cannot name one."""
    if not NAME.fullmatch(name):
        raise BadMetric(f"{name[:80]!r} is no metric name: it wants a-z, 0-9 and _, 63 at most.")
    if len(labels) > MOST_LABELS:
        raise BadMetric(f"{name} has {len(labels)} labels; {MOST_LABELS} is the most.")
    for label in labels:
        if not NAME.fullmatch(label) or label in {"le", "quantile"}:
            raise BadMetric(f"{label[:80]!r} is no label name (of the metric {name}).")
    return Series(name, tuple(sorted((label, safe(value)) for label, value in labels.items())))


def safe(value: object) -> str:
    """A label's value as it is kept: bounded, without control characters."""
    return _UNSAFE.sub("\ufffd", str(value)[:LONGEST_VALUE])
