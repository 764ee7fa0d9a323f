"""The id by which a request's log lines, jobs, trace and samples are found goes to the browser too."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import structlog
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django_structlog.signals import bind_extra_request_metadata

HEADER = "HTTP_X_REQUEST_ID"
ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)  # longer ones fit into no row


class GivenIdMiddleware:
    """Lets in an id that a proxy gives only if it is one; it stands above django_structlog's middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not ID.fullmatch(request.META.get(HEADER, "")):
            request.META.pop(HEADER, None)
        return self._get_response(request)


class RequestIdMiddleware:
    """Answers with X-Request-ID. It stands right below django_structlog's middleware, which makes it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = current()
        response = self._get_response(request)
        if request_id:
            response.headers["X-Request-ID"] = request_id
        return response


def chosen(given: str) -> str:
    """The id of a request: the given one, where it is one, else a new one."""
    return given if ID.fullmatch(given) else str(uuid4())


def current() -> str:
    """The id of the request that is being answered, "" outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def trace_id_of(request_id: str) -> str:
    """The trace that begins with that request, as 32 hexadecimal digits: from one id to the other."""
    return blake2b(request_id.encode(), digest_size=16).hexdigest()


@receiver(bind_extra_request_metadata)
def _say_less(log_kwargs: dict[str, Any], **_kwargs: Any) -> None:
    """What a browser calls itself tells much of a person and little of the site."""
    log_kwargs.pop("user_agent", None)
