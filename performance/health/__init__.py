"""Whether the services that the site needs answer: `look()`, `report()`, `detail()`."""

from __future__ import annotations

from performance.health.reports import SERVICES, Report, detail, forget, look, report

__all__ = ["SERVICES", "Report", "detail", "forget", "look", "report"]
