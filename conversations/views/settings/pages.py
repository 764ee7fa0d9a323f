"""What all pages of settings share: the overview and the frame around a section."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from conversations import prepared, validators
from conversations.sections import sections


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The same for all who are signed in, and for all who are not."""

    def read() -> prepared.Context:
        return {"sections": sections(signed_in=request.user.is_authenticated)}

    name = validators.anybody(request)
    response = prepared.public(request, name, "settings/overview.html", read)
    patch_cache_control(response, private=True, no_store=True)
    return response


def section_page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page that extends settings/section.html, beside the entries of all sections."""
    entries = sections(signed_in=request.user.is_authenticated)
    response = render(request, template, {"sections": entries, **context}, status=status)
    patch_cache_control(response, private=True, no_store=True)
    return response
