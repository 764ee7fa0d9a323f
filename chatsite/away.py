"""Requests that failed for want of the database: told the same whether DEBUG is on or off."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from chatsite.postgresql.errors import is_away
from chatsite.views import database_busy


class AwayMiddleware:
    """With DEBUG on, Django shows developers what failed; that the database is away is no fault of the code."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code == 500 and getattr(request, "found_database_away", False):
            return database_busy(request, away=True)
        return response


@receiver(got_request_exception)
def _note(request: HttpRequest | None = None, **_kwargs: Any) -> None:
    if request is not None and is_away(sys.exception()):
        request.found_database_away = True  # type: ignore[attr-defined]
