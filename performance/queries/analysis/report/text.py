"""The report for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from performance.queries.analysis.findings.base import megabytes

RESET = "\x1b[0m"
COLOURS = {
    "critical": "\x1b[1;31m",
    "warning": "\x1b[33m",
    "info": "\x1b[36m",
    "head": "\x1b[1m",
    "faint": "\x1b[2m",
}
WIDTH = 100


def render(data: dict[str, Any], *, colours: bool = False) -> str:
    """The report as text, with ANSI colours where asked for."""

    def paint(text: str, colour: str) -> str:
        return f"{COLOURS[colour]}{text}{RESET}" if colours else text

    return "\n".join(_lines(data, paint))


def _lines(data: dict[str, Any], paint: Any) -> Iterator[str]:
    totals = data["totals"]
    yield paint(f"Database {data['database']}, PostgreSQL {data['postgresql']}", "head")
    yield (
        f"{totals['statements']} statements, {totals['seconds']:.1f} s in all; analysed in {data['seconds']:.1f} s; "
        f"indexes {data['indexes_judged_by']}."
    )
    for note in data["notes"]:
        yield from _wrapped(note, "! ")
    yield from _statements(data["statements"], paint)
    yield from _findings(data["findings"], paint)
    yield from _suggestions(data["suggestions"], paint)
    if data["skipped"]:
        yield ""
        yield paint(f"Not planned: {len(data['skipped'])} statements", "head")
        for one in data["skipped"][:5]:
            yield f"  {one['statement']}: {one['reason']}"


def _wrapped(text: str, first: str, rest: str = "  ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest) or [first]


def _statements(statements: list[dict[str, Any]], paint: Any) -> Iterator[str]:
    yield ""
    yield paint("Statements, the most costly first", "head")
    if not statements:
        yield "  None were recorded."
        return
    yield paint(
        "  share     calls   mean ms    p95 ms  rows/call  read/call  cached  trend  statement",
        "faint",
    )
    for one in statements:
        calls = max(one["calls"], 1)
        read = None if one["rows_read"] is None else one["rows_read"] / calls
        yield (
            f"  {one['share']:>5.1%} {one['calls']:>9,} {one['mean_ms']:>9.2f} {_number(one['p95_ms'], '9.2f')}"
            f" {one['rows_returned'] / calls:>10,.0f} {_number(read, '10,.0f')}"
            f" {_number(one['cache_hit_ratio'], '7.0%')} {_number(one['trend'], '6.1f')}  {one['id']}"
        )
        yield "         " + textwrap.shorten(one["sql"], WIDTH - 9, placeholder=" ...")
        if one["callers"]:
            yield paint("         from " + ", ".join(one["callers"][:3]), "faint")


def _number(value: float | None, form: str) -> str:
    width = int(form.split(".")[0].rstrip(","))
    return f"{'-':>{width}}" if value is None else f"{value:>{form}}"


def _findings(findings: list[dict[str, Any]], paint: Any) -> Iterator[str]:
    yield ""
    yield paint(f"Findings: {len(findings)}", "head")
    if not findings:
        yield "  Nothing to complain of."
    for one in findings:
        yield f"  {paint(one['severity'].upper(), one['severity'])} {one['kind']}: {one['about']}"
        yield from _wrapped(one["said"], "    ", "    ")
        yield from _wrapped(one["remedy"], "    -> ", "       ")
        if one["sql"]:
            yield f"       {one['sql']};"


def _suggestions(suggestions: list[dict[str, Any]], paint: Any) -> Iterator[str]:
    if not suggestions:
        return
    yield ""
    yield paint(f"Indexes to add: {len(suggestions)}", "head")
    for one in suggestions:
        yield f"  {one['sql']};"
        yield (
            f"    {one['confidence']}: cost {one['cost_before']:,.0f} -> {one['cost_after']:,.0f} "
            f"({one['ratio']:.1%}), about {megabytes(one['size'])}, {one['write_entries']:,} entries to write"
            + (", stops heap-only updates" if one["blocks_hot"] else "")
        )
        for gain in one["gains"][:5]:
            yield f"    helps {gain['statement']}: {gain['before']:,.1f} -> {gain['after']:,.1f}, {gain['calls']:,} calls"
        if one["supersedes"]:
            yield f"    makes superfluous: {', '.join(one['supersedes'])}"
        yield f"    {one['django']}"
        yield paint("    before", "faint")
        yield from tree(one["plan_before"], "      ")
        yield paint("    after", "faint")
        yield from tree(one["plan_after"], "      ")


def tree(plan: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A plan as indented lines."""
    if not plan:
        return
    where = f" on {plan['on']}" if "on" in plan else ""
    index = f" using {plan['index']}" if "index" in plan else ""
    yield f"{indent}{plan['kind']}{index}{where}  cost {plan['cost']:,.1f}, {plan['rows']:,} rows"
    for name, text in plan.get("conditions", {}).items():
        yield f"{indent}  {name}: {textwrap.shorten(text, WIDTH, placeholder=' ...')}"
    for child in plan.get("children", ()):
        yield from tree(child, indent + "  ")
