"""The live board of the admin. `DashboardAdmin` is its door; the rest builds what it shows."""

from __future__ import annotations

from performance.admin.dashboard.admin import DashboardAdmin

__all__ = ["DashboardAdmin"]
