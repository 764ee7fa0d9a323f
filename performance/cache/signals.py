"""What the cache tells its observers; described in performance.signals."""

from __future__ import annotations

from performance.signals import cache_measured, cache_recovered, cache_unavailable

__all__ = ["cache_measured", "cache_recovered", "cache_unavailable"]
