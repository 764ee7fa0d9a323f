"""The page from top to bottom: which charts and tables stand together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from performance.admin.dashboard.charts import CHARTS, Chart
from performance.figures import Unit, shown

MOST_ROWS = 48
"""Of the table behind a chart as the server draws it; the browser shows every step."""


@dataclass(frozen=True, slots=True)
class Section:
    """`parts` are templates, and the names under which the browser swaps them."""

    name: str
    title: str
    charts: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


SECTIONS = (
    Section("services", "Services", parts=("services",)),
    Section("requests", "Requests", ("requests", "errors", "latency"), ("views",)),
    Section("database", "Database", ("database", "statements", "trouble", "pool")),
    Section("caches", "Caches", ("hit_rate",), ("caches",)),
    Section("queues", "Queues and workers", ("waiting", "oldest", "tasks", "workers"), ("levels", "tasks")),
    Section("chat", "Chat", ("first_token", "tokens", "replies", "streams"), ("backends",)),
)  # fmt: skip
TAIL_PARTS = ("headline", "tiles")
PARTS = (*TAIL_PARTS, *(part for section in SECTIONS for part in section.parts))


def template(part: str) -> str:
    return f"performance/dashboard/{part}.html"


def sections(
    charts: Mapping[str, Chart], data: dict[str, dict[str, Any]], *, long: bool
) -> list[dict[str, Any]]:
    """The sections for the template, with the tables behind the charts; one where they are others."""
    wanted = SECTIONS if charts is CHARTS else (Section("metric", "Metric", tuple(charts)),)
    return [
        {
            "name": section.name,
            "title": section.title,
            "charts": [_chart(charts[name], data[name], long=long) for name in section.charts],
            "parts": [{"name": part, "template": template(part)} for part in section.parts],
        }
        for section in wanted
    ]


def _chart(chart: Chart, data: dict[str, Any], *, long: bool) -> dict[str, Any]:
    return {
        "name": chart.name,
        "title": chart.title,
        "unit": chart.unit,
        "fills": chart.fills,
        "top": chart.top,
        "empty": not any(value is not None for line in data["lines"] for value in line["values"]),
        "labels": [line["label"] for line in data["lines"]],
        "rows": _rows(chart.unit, data, long=long),
    }


def _rows(unit: Unit, data: dict[str, Any], *, long: bool) -> SafeString:
    """As HTML, the newest first: thousands of cells, which a template's loops take ten times as long for."""
    columns = [line["values"] for line in data["lines"]]
    return format_html_join(
        "\n",
        f'<tr><th scope="row">{{}}</th>{"<td>{}</td>" * len(columns)}</tr>',
        (
            (
                clock(data["x"][number], long=long),
                *(shown(column[number], unit) for column in columns),
            )
            for number in reversed(range(max(0, len(data["x"]) - MOST_ROWS), len(data["x"])))
        ),
    )


def clock(seconds: float, *, long: bool) -> str:
    """A moment in the site's time zone, with its day where spans are long."""
    moment = datetime.fromtimestamp(seconds, timezone.get_current_timezone())
    exact = ":%S" if seconds % 60 else ""
    return moment.strftime(f"{'%m-%d ' if long else ''}%H:%M{exact}")
