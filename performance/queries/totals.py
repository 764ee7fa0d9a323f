"""Adds up the batches of many processes before they become rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from performance.metrics.summary import Summary
from performance.queries.batches import Batch, Caller, Hour, Sample, Text
from performance.queries.fingerprint import OTHER
from performance.queries.merging import SampleKey, merge_sample


@dataclass(slots=True)
class HourTotal:
    summary: Summary = field(default_factory=Summary)
    rows: int = 0
    errors: int = 0

    def add(self, hour: Hour) -> None:
        self.summary.merge(Summary.restored(hour.summary))
        self.rows += hour.rows
        self.errors += hour.errors

    def merge(self, other: HourTotal) -> None:
        self.summary.merge(other.summary)
        self.rows += other.rows
        self.errors += other.errors


HourKey = tuple[int, int]
CallerKey = tuple[int, str, str, str, str]


@dataclass(slots=True)
class Totals:
    """Everything by its key; `hours` by fingerprint and beginning in seconds since 1970."""

    texts: dict[int, Text] = field(default_factory=dict)
    hours: dict[HourKey, HourTotal] = field(default_factory=dict)
    callers: dict[CallerKey, Caller] = field(default_factory=dict)
    samples: dict[SampleKey, Sample] = field(default_factory=dict)

    def add(self, batch: Batch) -> None:
        self.texts |= {text.id: text for text in batch.texts}
        for hour in batch.hours:
            self.hours.setdefault((hour.fingerprint, hour.hour), HourTotal()).add(hour)
        for caller in batch.callers:
            _merge_caller(self.callers, caller)
        for sample in batch.samples:
            merge_sample(self.samples, sample)

    def referenced(self) -> set[int]:
        """All fingerprints that it speaks of; of some the text came in an earlier batch, or never."""
        found = {key for key, _ in self.hours} | {key[0] for key in self.callers}
        return found | self.texts.keys() | {key[0] for key in self.samples if key[0] is not None}

    def admit(self, admitted: set[int]) -> None:
        """Keeps the fingerprints `admitted`; the others are counted as one."""
        if self.referenced() <= admitted:
            return
        alias = next((text.alias for text in self.texts.values()), "default")
        other = Text(OTHER.id, OTHER.sql, OTHER.kind, (), alias)
        self.texts = {key: self.texts[key] for key in self.texts if key in admitted}
        self.texts[OTHER.id] = other
        hours, self.hours = self.hours, {}
        for (fingerprint, hour), total in hours.items():
            key = (fingerprint if fingerprint in admitted else OTHER.id, hour)
            self.hours.setdefault(key, HourTotal()).merge(total)
        self.callers = {key: one for key, one in self.callers.items() if key[0] in admitted}
        self.samples = {
            key: one for key, one in self.samples.items() if key[0] is None or key[0] in admitted
        }


def _merge_caller(callers: dict[CallerKey, Caller], caller: Caller) -> None:
    key = (
        *(caller.fingerprint, caller.scope_kind, caller.scope_name),
        *(caller.file, caller.function),
    )
    known = callers.get(key)
    if known is None:
        callers[key] = caller
        return
    known.calls += caller.calls
    known.seconds += caller.seconds
    known.line = caller.line
