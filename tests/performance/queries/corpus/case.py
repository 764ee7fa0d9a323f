"""One case."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """Statements with their calls, and the best set of indexes, as what stands after CREATE INDEX ON.

    `best` is one set that no other betters by much; another set that costs as little is as right.
    """

    name: str
    dataset: str
    queries: tuple[tuple[str, int], ...]
    best: tuple[str, ...] = ()
    hypothetical: bool = True  # whether HypoPG knows the access method


def one(name: str, dataset: str, sql: str, *best: str, hypothetical: bool = True) -> Case:
    """A case of a single statement."""
    return Case(name, dataset, ((sql, 100),), best, hypothetical)
