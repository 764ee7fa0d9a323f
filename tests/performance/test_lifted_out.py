"""The app in a project that has nothing else: the settings of docs/performance.md, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
AROUND = """
SECRET_KEY = "x" * 50
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
USE_TZ = True
DATABASES = {{"default": {{**{database!r}, "ENGINE": "django.db.backends.postgresql"}}}}
CACHE_URL, QUEUE_URL = {cache!r}, {queue!r}
"""
URLS = """
from django.http import HttpResponse
from django.urls import include, path
urlpatterns = [path("", lambda request: HttpResponse("ok")), path("", include("performance.urls"))]
"""
TASKS = """
from django.tasks import task
@task(priority=50)
def add(a, b):
    return a + b
"""
PROGRAM = """
import sys
import django
django.setup()
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
call_command("check", "--fail-level", "WARNING", stdout=sys.stderr)
call_command("migrate", verbosity=0)
assert Client().get("/").content == b"ok"
assert Client().get("/health/live").status_code == 200
cache.set("key", {"a": (1, 2)}, 30)
assert cache.get("key") == {"a": (1, 2)}
from tasks import add
result = add.enqueue(1, 2)
call_command("worker", "--burst", stdout=sys.stderr)
result.refresh()
assert result.return_value == 3, result
foreign = {"chatsite", "conversations", "unfold", "allauth"} & {name.split(".")[0] for name in sys.modules}
assert not foreign, foreign
print("lifted")
"""


@pytest.fixture
def empty_database(transactional_db: None) -> Iterator[str]:
    name = f"lifted_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.slow  # a project of its own: migrations and a worker
def test_the_documented_settings_are_all_it_takes(
    tmp_path: Path, cache_redis: Any, queue_redis: Any, empty_database: str
) -> None:
    (block,) = CODE.findall((ROOT / "docs/performance.md").read_text())
    keys = ("USER", "PASSWORD", "HOST", "PORT")
    database = {key: connection.settings_dict[key] for key in keys} | {"NAME": empty_database}
    around = AROUND.format(cache=settings.CACHE_URL, queue=settings.QUEUE_URL, database=database)
    (tmp_path / "performance").symlink_to(ROOT / "performance")
    (tmp_path / "settings.py").write_text(around + block)
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "tasks.py").write_text(TASKS)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": str(tmp_path),
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.endswith("lifted\n"), ran.stderr
