"""Whole pages and parts of them, rendered once for each of their names; what is each request's own is left open.

The values that fill what is open are the CSRF token and others that need no escaping, such as keys. A
template gets marks in their place, which hold NUL: no text of a user does, for PostgreSQL takes none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from conversations import compressed
from conversations.compressed import CompressedPage
from conversations.request import AuthenticatedHttpRequest
from performance.cache import conversation_cache

Context = dict[str, Any]
NOTHING: Mapping[str, str] = {}
TOKEN = "csrf_token"  # noqa: S105 - the name of a variable
ANYBODY = "anybody"  # whose pages are kept for all who read them

Read = Callable[[], tuple[Context, bool]]


def page(
    request: AuthenticatedHttpRequest,
    name: str | None,
    template: str,
    read: Read,
    own: Mapping[str, str] = NOTHING,
    *,
    conversation_id: UUID | None = None,
) -> HttpResponse:
    """The page called `name` (see `validators`), with `own` in the places of its template's variables.

    `read()` has the other variables, and whether the page is settled: one that is not is neither kept
    nor stored by the browser. It may give a variable of `own` another value. What shows one conversation
    and nothing else is kept with that.
    """
    place = (request.user.pk, conversation_id)
    return _found(request, place, name, template, read, own)


def public(
    request: HttpRequest, name: str | None, template: str, read: Callable[[], Context]
) -> HttpResponse:
    """A page that is the same for all who ask for one of this name, but for the CSRF token."""
    return _found(request, (ANYBODY, None), name, template, lambda: (read(), True), NOTHING)


def _found(
    request: HttpRequest,
    place: tuple[object, UUID | None],
    name: str | None,
    template: str,
    read: Read,
    own: Mapping[str, str],
) -> HttpResponse:
    made = conversation_cache.get(*place, f"{template}:{name}") if name else None
    if made is None:
        context, settled = read()
        marks = {variable: _mark(variable) for variable in (*own, TOKEN)}
        html = str(render_to_string(template, marks | context, request))
        if name is None or not settled:
            return _once(request, html, own, settled=settled)
        made = CompressedPage.of(html)
        # Under the name that was taken before reading: a change since then has another one.
        conversation_cache.set(place[0], made, place[1], f"{template}:{name}")
    return compressed.response(request, made, _filling(request, own, has_form=TOKEN in made.gaps))


def _once(
    request: HttpRequest, html: str, own: Mapping[str, str], *, settled: bool
) -> HttpResponse:
    """For a page that is not kept, and so is compressed by whoever does that for others."""
    for variable, value in _filling(request, own, has_form=_mark(TOKEN) in html).items():
        html = html.replace(_mark(variable), value)
    return HttpResponse(html, headers={} if settled else {"Cache-Control": "no-store"})


def _mark(variable: str) -> str:
    return f"\0{variable}\0"


def _filling(request: HttpRequest, own: Mapping[str, str], *, has_form: bool) -> Mapping[str, str]:
    """`own`, and the token for a page that has a form: whoever asks for one gets a cookie."""
    return {**own, TOKEN: get_token(request)} if has_form else own
