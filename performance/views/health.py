"""/health/live, /health/ready and /health/detail, for projects whose root is not ours, too."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from performance import alerts, conf, health
from performance.health import access

REFUSED = "This is for staff, or for whoever has the token: Authorization: Bearer ...\n"


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The process answers; it asks nobody else."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 where every service answers that the site needs, else 503."""
    report = health.report()
    return JsonResponse(report.public(), status=200 if report.is_ready else 503)


@require_safe
@never_cache
def detail(request: HttpRequest) -> HttpResponse:
    """Everything there is to know, for staff or the token; always 200, the status is in the body."""
    # The token first: a session would ask the database, which may be what is down.
    if access.has_token(request, conf.current().health.token) or access.is_staff(request):
        return JsonResponse(
            {**health.detail(), "alerts": _alerts()}, json_dumps_params={"indent": 2}
        )
    return HttpResponse(REFUSED, status=403, content_type="text/plain; charset=utf-8")


def _alerts() -> dict[str, Any]:
    """Whether somebody still evaluates the rules; None: never, or PostgreSQL does not say."""
    age = None
    if conf.current().alerts.enabled and _has_database():
        with suppress(DatabaseError):
            age = alerts.seconds_since()
    return {
        "enabled": conf.current().alerts.enabled,
        "evaluated_seconds_ago": None if age is None else round(age, 1),
    }


def _has_database() -> bool:
    """As the board knows it: one that hangs must not be asked through the pool."""
    return any(one.service == "database" and one.is_up for one in health.look())
