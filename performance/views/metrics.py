"""/metrics for Prometheus: django-prometheus's view behind a guard."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from performance import conf
from performance.health import access
from performance.metrics import exporter

REFUSED = "This is for Prometheus: Authorization: Bearer ... or a request from this machine.\n"


@require_safe
@never_cache
def export(request: HttpRequest) -> HttpResponse:
    """Every series of every process, in Prometheus's text format."""
    settings = conf.current().health
    is_open = settings.metrics_loopback and access.is_local(request)
    if not (is_open or access.has_token(request, settings.metrics_token)):
        return HttpResponse(REFUSED, status=403, content_type="text/plain; charset=utf-8")
    found: HttpResponse = ExportToDjangoView(request)
    return found


exporter.register()
