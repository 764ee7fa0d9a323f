from __future__ import annotations

import os

SECRET_KEY = "only for benchmarks"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "performance", "ours"]
# No peer measures itself.
PERFORMANCE = {name: {"ENABLED": False} for name in ("METRICS", "QUERIES", "ALERTS")}
LEVELS = ("critical", "urgent", "high", "normal", "low")
RQ_QUEUES = {level: {"URL": os.environ["QUEUE_URL"]} for level in LEVELS}
TASKS = {
    "default": {
        "BACKEND": "performance.queues.backend.RQBackend",
        "QUEUES": list(LEVELS),
        "OPTIONS": {"RECORD_RUNS": False},
    }
}
LOGGING = {"version": 1, "loggers": {"django.tasks": {"level": "WARNING"}}}
