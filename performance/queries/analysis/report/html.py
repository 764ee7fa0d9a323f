"""The report as one HTML page: no script, no style from elsewhere."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from performance.queries.analysis.findings.base import megabytes
from performance.queries.analysis.report.text import tree


def render(data: dict[str, Any]) -> str:
    suggestions = [
        one | {
            "size_shown": megabytes(one["size"]),
            "before": "\n".join(tree(one["plan_before"])),
            "after": "\n".join(tree(one["plan_after"])),
        }
        for one in data["suggestions"]
    ]  # fmt: skip
    return render_to_string("performance/queries/report.html", data | {"suggestions": suggestions})
