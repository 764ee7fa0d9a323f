"""allauth's pages for whoever is not signed in yet, rendered once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from conversations import prepared, validators

View = Callable[..., HttpResponseBase]


def kept(view: View) -> View:
    """The view is asked every time, and so redirects and counts as ever; its page is not rendered again.

    Only one that shows nothing of its visitor: a GET without a query or a session, out of which allauth
    fills in addresses, of somebody who is told nothing.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if not isinstance(response, TemplateResponse) or response.status_code != 200:
            return response
        name = validators.anybody(request) if request.session.is_empty() else None
        return response if name is None else _page(request, name, response)

    return inner


def _page(request: HttpRequest, name: str, made: TemplateResponse) -> HttpResponseBase:
    template = cast("list[str]", made.template_name)[0]
    page = prepared.public(request, name, template, lambda: made.context_data or {})
    for header, value in made.items():
        page.headers.setdefault(header, value)
    return page
