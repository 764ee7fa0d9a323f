"""Statements: fed by the query log when a scope has ended, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from performance.metrics.recording import Recording

KINDS = frozenset({"select", "insert", "update", "delete"})


def kind_of(sql: str) -> str:
    """select, insert, update, delete or other: the statement's first word."""
    word = sql.lstrip(" \n\t(")[:7].split(maxsplit=1)
    kind = word[0].lower() if word else ""
    return kind if kind in KINDS else "other"


def ran(recording: Recording, alias: str, sql: str, seconds: Iterable[float], slow: float) -> None:
    """Runs of one statement; those that took `slow` seconds and more are counted as such, too."""
    labels = {"alias": alias, "kind": kind_of(sql)}
    over = 0
    for took in seconds:
        recording.observe("query_seconds", took, labels)
        over += took >= slow
    if over:
        recording.count("slow_queries", over, {"alias": alias})


def failed(recording: Recording, alias: str, errors: Mapping[str, int]) -> None:
    """Errors of one statement, by the name of their class."""
    for error, times in errors.items():
        recording.count("query_errors", times, {"alias": alias, "error": error})
