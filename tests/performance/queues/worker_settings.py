"""Settings of the worker processes that tests start: the queues and the tests' own tasks, no site."""

from __future__ import annotations

import json
import os

from chatsite.databases import postgresql

SECRET_KEY = "only for tests"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "performance",
    "tests.performance.queues.jobs",
]
DATABASES = {"default": postgresql(os.environ.get("DATABASE_URL", ""), pool_size=8)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PERFORMANCE = {"ALERTS": {"ENABLED": False}}
LEVELS = ("critical", "urgent", "high", "normal", "low")
RQ_QUEUES = {level: {"URL": os.environ["QUEUE_URL"], "DEFAULT_TIMEOUT": 600} for level in LEVELS}
TASKS = {
    "default": {
        "BACKEND": "performance.queues.backend.RQBackend",
        "QUEUES": list(LEVELS),
        "OPTIONS": json.loads(os.environ.get("QUEUE_OPTIONS", "{}")),
    }
}
