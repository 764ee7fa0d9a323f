"""Bounds how many series a metric may have in this process; what is beyond goes to `other`."""

from __future__ import annotations

from performance.metrics.definitions import BY_NAME, Kind
from performance.metrics.series import BadMetric, Labels, Series, series

MOST_NAMES = 500
MOST_IN_ALL = 10_000
OWN = frozenset({"metrics_overflow", "metrics_dropped"})
"""What tells of these limits is not under them: its labels are metrics' names and a few reasons."""


class Registry:
    """Known series by the words they were asked for with, and each metric's kind."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._total = 0
        self._known: dict[str, dict[Labels, Series]] = {}
        self._kinds: dict[str, Kind] = {}

    def find(self, name: str, labels: dict[str, str], kind: Kind) -> tuple[Series, bool]:
        """The series, and whether it had to be `other`. Raises BadMetric."""
        known = self._known.get(name)
        raw = tuple(labels.items())
        if known is not None and (found := known.get(raw)) is not None:
            self._same_kind(name, kind)
            return found, False
        return self._new(name, raw, kind)

    def _new(self, name: str, raw: Labels, kind: Kind) -> tuple[Series, bool]:
        found = series(name, dict(raw))
        if name not in self._known:
            if len(self._known) >= MOST_NAMES and name not in OWN:
                raise BadMetric(f"{name} would be metric {MOST_NAMES + 1}: too many names.")
            self._known[name] = {}
            self._kinds[name] = BY_NAME[name].kind if name in BY_NAME else kind
        self._same_kind(name, kind)
        known = self._known[name]
        if name not in OWN and (len(known) >= self._most or self._total >= MOST_IN_ALL):
            return found.other(), True
        known[raw] = found
        self._total += 1
        return found, False

    def _same_kind(self, name: str, kind: Kind) -> None:
        if self._kinds[name] is not kind:
            asked, first = kind.name.lower(), self._kinds[name].name.lower()
            raise BadMetric(f"{name} is a {first}; it was recorded as a {asked}.")

    def kind(self, name: str) -> Kind:
        """The kind of a metric that `find` has seen."""
        return self._kinds[name]
