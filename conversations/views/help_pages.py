"""The help pages, for everybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from conversations import markdown, prepared, validators
from conversations.conditional import conditional
from conversations.help import ENGLISH, HelpPage, HelpPassage, help_pages
from conversations.prepared import Context


@require_safe
def help_list(request: HttpRequest) -> HttpResponseBase:
    name = validators.public(request)
    return conditional(request, name, lambda: _kept(request, "help/list.html", _list))


@require_safe
def help_page(request: HttpRequest, slug: str) -> HttpResponseBase:
    name = validators.public(request)
    return conditional(request, name, lambda: _kept(request, "help/page.html", lambda: _page(slug)))


def _kept(request: HttpRequest, template: str, read: Callable[[], Context]) -> HttpResponse:
    return prepared.public(request, validators.anybody(request), template, read)


def _list() -> Context:
    return {"pages": help_pages(get_language() or ENGLISH)}


def _page(slug: str) -> Context:
    pages = help_pages(get_language() or ENGLISH)
    page = next((page for page in pages if page.slug == slug), None)
    if page is None:
        raise Http404("There is no such help page.")
    introduction, sections = _rendered(page)
    return {
        "page": page,
        "pages": pages,
        "introduction": introduction,
        "sections": sections,
    }


@cache
def _rendered(page: HelpPage) -> tuple[str, list[tuple[HelpPassage, str]]]:
    sections = [(passage, markdown.render(passage.text)) for passage in page.passages]
    return markdown.render(page.introduction), sections
