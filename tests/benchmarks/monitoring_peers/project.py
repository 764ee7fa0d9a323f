"""Settings of each contender: the same site and views, watched by nobody, by us or by a peer.

CONTENDER names it; DATABASE_NAME, DATABASE_HOST, DATABASE_USER and QUEUE_URL say where its servers are.
"""

from __future__ import annotations

import os
from typing import Any

CONTENDER = os.environ["CONTENDER"]

SECRET_KEY = "a key for benchmarks alone " + "x" * 40
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "pages"
USE_TZ = True
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": True,
    "root": {"level": "CRITICAL"},
}
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "bench",
]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["DATABASE_NAME"],
        "USER": os.environ["DATABASE_USER"],
        "HOST": os.environ["DATABASE_HOST"],
        "PORT": os.environ["DATABASE_PORT"],
        "PASSWORD": os.environ["DATABASE_PASSWORD"],
        "CONN_MAX_AGE": None,
    }
}

if CONTENDER == "ours":
    INSTALLED_APPS += ["performance"]
    MIDDLEWARE = [
        "performance.middleware.QueryLogMiddleware",
        "performance.middleware.PerformanceMiddleware",
        *MIDDLEWARE,
    ]
    TEMPLATES[0]["BACKEND"] = "performance.rendering.DjangoTemplates"
    TEMPLATES[0]["NAME"] = "django"
    _URL = os.environ["QUEUE_URL"]
    PERFORMANCE = {
        "METRICS": {"LOCATION": _URL},
        "ALERTS": {"ENABLED": False},
        "SWITCHES": {"WATCH_SECONDS": 0},
    }
    RQ_QUEUES = {level: {"URL": _URL} for level in ("critical", "urgent", "high", "normal", "low")}
    TASKS = {
        "default": {"BACKEND": "performance.queues.backend.RQBackend", "QUEUES": list(RQ_QUEUES)}
    }
elif CONTENDER == "django-prometheus":
    INSTALLED_APPS += ["django_prometheus"]
    MIDDLEWARE = [
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        *MIDDLEWARE,
        "django_prometheus.middleware.PrometheusAfterMiddleware",
    ]
    DATABASES["default"]["ENGINE"] = "django_prometheus.db.backends.postgresql"
elif CONTENDER == "django-silk":
    INSTALLED_APPS += ["django.contrib.messages", "silk"]
    MIDDLEWARE = ["silk.middleware.SilkyMiddleware", *MIDDLEWARE]
elif CONTENDER == "django-observatory":
    INSTALLED_APPS += ["django_observatory"]
    MIDDLEWARE = ["django_observatory.middleware.ObservabilityMiddleware", *MIDDLEWARE]
