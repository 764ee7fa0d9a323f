"""The report in Markdown, for an issue or a page of documentation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from performance.queries.analysis.findings.base import megabytes
from performance.queries.analysis.report.text import tree


def render(data: dict[str, Any]) -> str:
    return "\n".join(_lines(data)) + "\n"


def _lines(data: dict[str, Any]) -> Iterator[str]:
    totals = data["totals"]
    yield f"# Queries of {data['database']}"
    yield ""
    yield (
        f"PostgreSQL {data['postgresql']}, {data['made_at']}: {totals['statements']} statements, "
        f"{totals['seconds']:.1f} s in all. Indexes {data['indexes_judged_by']}."
    )
    yield ""
    for note in data["notes"]:
        yield f"> {note}"
        yield ""
    yield from _statements(data["statements"])
    yield from _findings(data["findings"])
    yield from _suggestions(data["suggestions"])


def _statements(statements: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Statements"
    yield ""
    yield "| share | calls | mean ms | p95 ms | rows | read | cached | trend | statement |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---|"
    for one in statements:
        cells = [
            f"{one['share']:.1%}", f"{one['calls']:,}", f"{one['mean_ms']:.2f}", _or_dash(one["p95_ms"], ".2f"),
            f"{one['rows_returned']:,}", _or_dash(one["rows_read"], ","), _or_dash(one["cache_hit_ratio"], ".0%"),
            _or_dash(one["trend"], ".1f"), _code(textwrap.shorten(one["sql"], 160, placeholder=" ...")),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    yield ""


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _code(text: str) -> str:
    return "`` " + text.replace("|", "\\|") + " ``"


def _findings(findings: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Findings"
    yield ""
    if not findings:
        yield "Nothing to complain of."
    for one in findings:
        yield f"- **{one['severity']}** `{one['kind']}` {_code(one['about'])}: {one['said']} {one['remedy']}"
        if one["sql"]:
            yield f"  `{one['sql']}`"
    yield ""


def _suggestions(suggestions: list[dict[str, Any]]) -> Iterator[str]:
    if suggestions:
        yield "## Indexes to add"
        yield ""
    for one in suggestions:
        yield f"### {one['table']}: {one['name']}"
        yield ""
        yield (
            f"{one['confidence'].capitalize()}: cost {one['cost_before']:,.0f} to {one['cost_after']:,.0f} "
            f"({one['ratio']:.1%}) over {len(one['gains'])} statements; about {megabytes(one['size'])}."
        )
        for language, text in (
            ("sql", one["sql"] + ";"), ("python", one["django"]), ("python", one["migration"]),
            ("text", "\n".join(["before", *tree(one["plan_before"], "  "), "after", *tree(one["plan_after"], "  ")])),
        ):  # fmt: skip
            yield from ("", f"```{language}", text, "```")
        yield ""
