"""What a web process may import: memory and seconds of every start, in every process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.benchmarks.start import environment

# Imported by redis-py and structlog wherever they are installed, and in production they are not.
WHERE_INSTALLED = {"better_exceptions", "greenlet", "opentelemetry", "psutil", "pygments", "rich"}

# Another package here costs every web process; say in pyproject.toml what it is for.
WANTED = {
    *("allauth", "asgiref", "croniter", "cython_runtime", "dateutil", "dj_database_url", "django"),
    *("django_prometheus", "django_redis", "django_structlog", "hiredis", "msgspec"),
    *("prometheus_client", "psycopg", "psycopg_binary", "redis", "sqlparse", "structlog"),
    *("typing_extensions", "unfold", "whitenoise", "zstandard"),
}

# For the worker, for one page of many, or for a service that is off.
ELSEWHERE = {
    *(
        "markdown_it",
        "mdurl",
        "linkify_it",
        "nh3",
        "latex2mathml",
        "httpx2",
        "apprise",
        "pgparse",
        "rq",
    ),
    *("numpy", "wordllama", "tokenizers", "safetensors", "xllamacpp", "django_rq"),
    "conversations.ai.guide",
    "conversations.ai.openai",
    "conversations.ai.local_model",
    "performance.queries.analysis",
    "performance.queues.worker",
    "chatsite.tracing.provider",
    "chatsite.up",
}
IMPORTED = """
import sys
import chatsite.asgi
from django.urls import reverse
reverse("conversations:list")
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """After the first request's URLs."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


def test_what_others_need_is_not_imported(modules: set[str]) -> None:
    assert sorted(ELSEWHERE & modules) == []


def test_no_package_is_imported_that_is_not_known(modules: set[str]) -> None:
    ours = {"chatsite", "conversations", "performance"}
    tops = {name.partition(".")[0] for name in modules if not name.startswith("_")}
    packages = tops - set(sys.stdlib_module_names) - ours - WHERE_INSTALLED
    assert sorted(packages - WANTED) == []
