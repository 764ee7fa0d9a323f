"""Whole pages, rendered once for each of their names; what is each request's own is left open.

The values that fill what is open are the CSRF token and others that need no escaping, such as keys. A
template gets marks in their place, which hold NUL: no text of a user does, for PostgreSQL takes none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from conversations.request import AuthenticatedHttpRequest
from performance.cache import conversation_cache

Context = dict[str, Any]


def page(
    request: AuthenticatedHttpRequest,
    name: str | None,
    template: str,
    read: Callable[[], tuple[Context, bool]],
    own: dict[str, str],
) -> HttpResponse:
    """The page called `name` (see `validators`), with `own` in the places of its template's variables.

    `read()` has the other variables, and whether the page is settled: one that is not is neither kept
    nor stored by the browser. It may give a variable of `own` another value.
    """
    own = own | {"csrf_token": get_token(request)}
    html = conversation_cache.get(request.user.pk, page=f"{template}:{name}") if name else None
    settled = True
    if html is None:
        context, settled = read()
        marks = {variable: _mark(variable) for variable in own}
        html = str(render_to_string(template, marks | context, request))
        if name and settled:
            # Under the name that was taken before reading: a change since then has another one.
            conversation_cache.set(request.user.pk, html, page=f"{template}:{name}")
    response = HttpResponse(_filled(html, own))
    if not settled:
        response.headers["Cache-Control"] = "no-store"
    return response


def _mark(variable: str) -> str:
    return f"\0{variable}\0"


def _filled(html: str, own: dict[str, str]) -> str:
    for variable, value in own.items():
        html = html.replace(_mark(variable), value)
    return html
