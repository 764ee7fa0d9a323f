"""A report in one of its forms."""

from __future__ import annotations

import json

from performance.queries.analysis.analysis import Report
from performance.queries.analysis.report import html, markdown, text
from performance.queries.analysis.report.data import as_data, suggestion_data

__all__ = ["FORMATS", "as_data", "render", "suggestion_data"]

FORMATS = ("text", "json", "html", "markdown")


def render(report: Report, form: str, *, colours: bool = False) -> str:
    """`report` in one of FORMATS."""
    data = as_data(report)
    if form == "json":
        return json.dumps(data, indent=2)
    if form == "html":
        return html.render(data)
    return markdown.render(data) if form == "markdown" else text.render(data, colours=colours)
