"""Adds up the scopes of this process until they are sent: one entry for each fingerprint and line.

Bounded: a process that sees more fingerprints, lines or findings in these seconds than it may counts
the others under "other" or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from performance.metrics.summary import Summary
from performance.queries.batches import Batch, Caller, Hour, Sample, Text
from performance.queries.call_sites import Site
from performance.queries.findings import Finding, Group
from performance.queries.fingerprint import OTHER, Fingerprint
from performance.queries.scope import Scope
from performance.queries.statements import Statement

MOST_FINGERPRINTS = 1000
MOST_CALLERS = 3000
MOST_SAMPLES = 300
NAME = 200


@dataclass(slots=True)
class _Hour:
    summary: Summary = field(default_factory=Summary)
    rows: int = 0
    errors: int = 0


class Merged:
    """Used by the flusher's thread alone."""

    def __init__(self) -> None:
        self._texts: dict[int, Text] = {}
        self._hours: dict[tuple[int, int], _Hour] = {}
        self._callers: dict[tuple[int, str, str, str, str], Caller] = {}
        self._samples: dict[tuple[int | None, str, str, str, str, int], Sample] = {}

    def __bool__(self) -> bool:
        return bool(self._hours or self._samples)

    def add(self, scope: Scope, groups: Sequence[Group], findings: Sequence[Finding]) -> None:
        """Adds one scope that has ended."""
        hour = int(scope.ended or time.time()) // 3600 * 3600
        for found, statements in groups:
            found = self._admitted(found, statements[0].alias)
            for statement in statements:
                self._add_statement(found, hour, statement)
                self._add_caller(found, scope, statement)
        for finding in findings:
            self._add_sample(scope, finding)

    def batch(self, process: str, number: int) -> Batch:
        """What was added, as it is to be sent."""
        return Batch(
            process=process,
            number=number,
            texts=list(self._texts.values()),
            hours=[
                Hour(fingerprint, hour, entry.rows, entry.errors, entry.summary.stored())
                for (fingerprint, hour), entry in self._hours.items()
            ],
            callers=list(self._callers.values()),
            samples=list(self._samples.values()),
        )

    def _admitted(self, found: Fingerprint, alias: str) -> Fingerprint:
        if found.id not in self._texts:
            if len(self._texts) >= MOST_FINGERPRINTS:
                found = OTHER
            self._texts[found.id] = Text(found.id, found.sql, found.kind, found.tables, alias)
        return found

    def _add_statement(self, found: Fingerprint, hour: int, statement: Statement) -> None:
        entry = self._hours.setdefault((found.id, hour), _Hour())
        for took in statement.runs[::2]:
            entry.summary.observe(took / 1e9)
        entry.rows += statement.rows
        entry.errors += sum(statement.errors.values())

    def _add_caller(self, found: Fingerprint, scope: Scope, statement: Statement) -> None:
        site = statement.site or statement.loop or Site("", 0, "")
        names = (scope.kind, scope.name[:NAME], site.file[:NAME], site.function[:NAME])
        key = (found.id, *names)
        caller = self._callers.get(key)
        if caller is None:
            if len(self._callers) >= MOST_CALLERS:
                return
            caller = self._callers[key] = Caller(*key, site.line, site.template, 0, 0.0)
        caller.line = site.line
        caller.calls += len(statement.runs) // 2
        caller.seconds += statement.nanoseconds / 1e9

    def _add_sample(self, scope: Scope, finding: Finding) -> None:
        found = finding.fingerprint
        if found is not None and found.id not in self._texts:
            return  # beyond the limit
        site = finding.site or Site("", 0, "")
        sample = Sample(
            fingerprint=found.id if found else None,
            finding=finding.kind,
            scope_kind=scope.kind,
            scope_name=scope.name[:NAME],
            file=site.file[:NAME],
            function=site.function[:NAME],
            line=site.line,
            template=site.template,
            seconds=finding.seconds,
            repeats=finding.repeats,
            times=1,
            remedy=finding.remedy[:300],
            correlation_id=finding.correlation_id,
            at=scope.ended or time.time(),
        )
        if key_of(sample) in self._samples or len(self._samples) < MOST_SAMPLES:
            merge_sample(self._samples, sample)


SampleKey = tuple[int | None, str, str, str, str, int]


def key_of(sample: Sample) -> SampleKey:
    """Alike samples have the same."""
    place = (sample.scope_kind, sample.scope_name, sample.file, sample.line)
    return (sample.fingerprint, sample.finding, *place)


def merge_sample(into: dict[SampleKey, Sample], sample: Sample) -> None:
    """Of alike samples the costliest stays, with how many there were."""
    key = key_of(sample)
    known = into.get(key)
    if known is None:
        into[key] = sample
    elif sample.seconds > known.seconds:
        sample.times += known.times
        into[key] = sample
    else:
        known.times += sample.times
