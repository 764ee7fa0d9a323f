"""Coloured labels in lists; the word itself says all, so that the colour need not be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from performance.admin.theme import display

Column = Callable[[Any, Any], str]

SEVERITIES = {"Critical": "danger", "Warning": "warning", "Info": "info"}
STATES = {"Firing": "danger", "Acknowledged": "info", "Pending": "warning", "Resolved": "success"}


def labelled(
    description: str, labels: Mapping[str, str], ordering: str | None = None
) -> Callable[[Column], Column]:
    """A list column whose text is shown as a label; `labels` gives the kind for each text."""

    def wrapper(column: Column) -> Column:
        shown: Column = display(column, description=description, label=labels, ordering=ordering)
        return shown

    return wrapper
