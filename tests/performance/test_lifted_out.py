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

# What `django-admin startproject` has beside.
ADMIN = """
INSTALLED_APPS += [
    {theme}"django.contrib.admin",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE += [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
STATIC_URL = "static/"
TEMPLATES = [{{
    "BACKEND": "performance.rendering.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {{"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]}},
}}]
"""
ADMIN_URLS = """
from django.contrib import admin
urlpatterns += [path("admin/", admin.site.urls)]
"""
ADMIN_PROGRAM = """
import sys
import django
django.setup()
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from performance.models import AlertRule
call_command("check", "--fail-level", "WARNING", stdout=sys.stderr)
call_command("migrate", verbosity=0)
client = Client()
client.force_login(User.objects.create_superuser("carol", "carol@example.org", "x"))
names = [f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry]
places = [reverse(f"admin:{name}") for name in (*names, "performance_dashboard", "performance_dashboard_data",
    "performance_dashboard_minute", "performance_queues", "performance_switches", "performance_alertrule_add")]
places += [reverse("admin:performance_alertrule_change", args=[AlertRule.objects.first().pk])]
for place in places:
    response = client.get(place)
    assert response.status_code == 200, (place, response.status_code, response.content[:2000])
assert b"Preview" in client.get(places[-1]).content
assert b"The rules have never been evaluated" in client.get("/admin/performance/alert/").content
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


@pytest.fixture
def project(tmp_path: Path, cache_redis: Any, queue_redis: Any, empty_database: str) -> Path:
    """A directory with the documented settings, and the app as the one package beside."""
    (block,) = CODE.findall((ROOT / "docs/performance.md").read_text())
    keys = ("USER", "PASSWORD", "HOST", "PORT")
    database = {key: connection.settings_dict[key] for key in keys} | {"NAME": empty_database}
    around = AROUND.format(cache=settings.CACHE_URL, queue=settings.QUEUE_URL, database=database)
    (tmp_path / "performance").symlink_to(ROOT / "performance")
    (tmp_path / "settings.py").write_text(around + block)
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "tasks.py").write_text(TASKS)
    return tmp_path


def run(program: str, project: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": str(project),
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.endswith("lifted\n"), ran.stderr


@pytest.mark.slow  # a project of its own: migrations and a worker
def test_the_documented_settings_are_all_it_takes(project: Path) -> None:
    run(PROGRAM, project)


@pytest.mark.slow  # as above, without the worker
@pytest.mark.parametrize("theme", ["", '"unfold",\n    '], ids=["django", "unfold"])
def test_every_page_of_the_admin_is_there_with_and_without_the_theme(
    project: Path, theme: str
) -> None:
    with (project / "settings.py").open("a") as file:
        file.write(ADMIN.format(theme=theme))
    with (project / "urls.py").open("a") as file:
        file.write(ADMIN_URLS)
    run(ADMIN_PROGRAM, project)
