from __future__ import annotations

from performance.admin.queues import TaskRunAdmin

__all__ = ["TaskRunAdmin"]
