"""What one way of watching queries adds to them: python probe.py NAME rounds, in the peer's environment.

One request of a view with 50 ORM queries and one without any, through Django's WSGI handler in this
process. Prints JSON: microseconds of CPU and function calls for each query, the least of the rounds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

NAME, ROUNDS = sys.argv[1], int(sys.argv[2])
QUERIES = 50
DATABASE = json.loads(os.environ["PROBE_DATABASE"])
PARTS: dict[str, dict[str, Any]] = {
    "bare": {},
    "ours": {
        "apps": ["performance"],
        "middleware": ["performance.middleware.QueryLogMiddleware"],
    },
    "django-prometheus": {
        "apps": ["django_prometheus"],
        "engine": "django_prometheus.db.backends.postgresql",
    },
    "silk": {"apps": ["silk"], "middleware": ["silk.middleware.SilkyMiddleware"]},
    "debug-toolbar": {
        "apps": ["debug_toolbar", "django.contrib.staticfiles"],
        "middleware": ["debug_toolbar.middleware.DebugToolbarMiddleware"],
    },
}


def configure() -> None:
    from django.conf import settings

    part = PARTS[NAME]
    settings.configure(
        SECRET_KEY="x" * 50,
        ALLOWED_HOSTS=["*"],
        INTERNAL_IPS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        STATIC_URL="static/",
        DATABASES={
            "default": {
                **DATABASE,
                "ENGINE": part.get("engine", "django.db.backends.postgresql"),
                "CONN_MAX_AGE": None,
            }
        },
        INSTALLED_APPS=[
            *("django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"),
            *part.get("apps", []),
        ],
        MIDDLEWARE=part.get("middleware", []),
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        PERFORMANCE={"METRICS": {"LOCATION": os.environ.get("PROBE_REDIS", "")}},
        DEBUG_TOOLBAR_CONFIG={"SHOW_TOOLBAR_CALLBACK": f"{__name__}.always"},
    )
    import django

    django.setup()


def always(request: Any) -> bool:
    return True


def view(request: Any, times: int) -> Any:
    from django.contrib.contenttypes.models import ContentType
    from django.http import HttpResponse

    for number in range(times):
        ContentType.objects.filter(pk=number).first()
    return HttpResponse("<html><body></body></html>")


def routes() -> list[Any]:
    from django.urls import include, path

    found = [path("<int:times>/", view, name="view")]
    if NAME == "debug-toolbar":
        found.append(path("__debug__/", include("debug_toolbar.urls")))
    if NAME == "silk":
        found.append(path("silk/", include("silk.urls", namespace="silk")))
    return found


def cpu(client: Any, times: int) -> float:
    began = time.thread_time()
    client.get(f"/{times}/")
    return time.thread_time() - began


def calls(client: Any, times: int) -> int:
    count = 0

    def tell(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(tell)
    client.get(f"/{times}/")
    sys.setprofile(None)
    return count


def main() -> None:
    configure()
    globals()["urlpatterns"] = routes()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    client = Client()
    for times in (0, QUERIES, QUERIES):
        client.get(f"/{times}/")
    rounds = [cpu(client, QUERIES) - cpu(client, 0) for _ in range(ROUNDS)]
    print(
        json.dumps(
            {
                "us": 1e6 * min(rounds) / QUERIES,  # noise only adds
                "calls": (calls(client, QUERIES) - calls(client, 0)) / QUERIES,
            }
        )
    )


sys.modules["probe"] = sys.modules[__name__]
if __name__ == "__main__":
    main()
