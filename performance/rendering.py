"""Django's templates with a stop watch: TEMPLATES' BACKEND "performance.rendering.DjangoTemplates".

The time of a template includes that of the queries its lazy querysets make.
"""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest
from django.template import base
from django.template.backends import django as backend

from performance import spending


class Template(backend.Template):
    """Adds its time to what the current request has spent."""

    def render(
        self, context: dict[str, Any] | None = None, request: HttpRequest | None = None
    ) -> Any:
        spent = spending.current()
        if spent is None or spent.rendering:
            return super().render(context, request)
        spent.rendering = 1
        began = time.perf_counter()
        try:
            return super().render(context, request)
        finally:
            spent.render += time.perf_counter() - began
            spent.rendering = 0


class DjangoTemplates(backend.DjangoTemplates):
    """The stock backend but for the class of its templates."""

    def from_string(self, template_code: str) -> Any:
        return _timed(super().from_string(template_code))

    def get_template(self, template_name: str) -> Any:
        return _timed(super().get_template(template_name))


def _timed(found: Any) -> Template:
    template: base.Template = found.template
    return Template(template, found.backend)
