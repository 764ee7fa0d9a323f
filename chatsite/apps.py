from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import register
from django.core.exceptions import ImproperlyConfigured

from chatsite.checks import deadlines


class ChatsiteConfig(AppConfig):
    name = "chatsite"

    def ready(self) -> None:
        register(deadlines, deploy=True)
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            _trace()


def _trace() -> None:
    try:
        tracing = import_module("chatsite.tracing")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("opentelemetry"):
            raise
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: "
            "install requirements/tracing.txt too (docs/operations/tracing.md)."
        ) from error
    tracing.start(settings.OTEL_TRACES_SAMPLER_ARG)
