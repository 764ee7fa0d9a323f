from __future__ import annotations

from typing import Any

from django.conf import settings


def with_metrics(**values: object) -> dict[str, dict[str, Any]]:
    """settings.PERFORMANCE with other values in its section METRICS."""
    block: dict[str, dict[str, Any]] = settings.PERFORMANCE
    return {**block, "METRICS": {**block["METRICS"], **values}}
