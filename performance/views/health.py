"""/health/live, /health/ready and /health/detail, for projects whose root is not ours, too."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from performance import conf, health
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
        return JsonResponse(health.detail(), json_dumps_params={"indent": 2})
    return HttpResponse(REFUSED, status=403, content_type="text/plain; charset=utf-8")
