"""The help pages, for everybody."""

from __future__ import annotations

from functools import cache

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from conversations import markdown, validators
from conversations.conditional import conditional
from conversations.help import ENGLISH, HelpPage, HelpPassage, help_pages


@require_safe
def help_list(request: HttpRequest) -> HttpResponseBase:
    name = validators.public(request)
    return conditional(
        request,
        name,
        lambda: render(request, "help/list.html", {"pages": help_pages(get_language() or ENGLISH)}),
    )


@require_safe
def help_page(request: HttpRequest, slug: str) -> HttpResponseBase:
    return conditional(request, validators.public(request), lambda: _page(request, slug))


def _page(request: HttpRequest, slug: str) -> HttpResponse:
    pages = help_pages(get_language() or ENGLISH)
    page = next((page for page in pages if page.slug == slug), None)
    if page is None:
        raise Http404("There is no such help page.")
    introduction, sections = _rendered(page)
    context = {
        "page": page,
        "pages": pages,
        "introduction": introduction,
        "sections": sections,
    }
    return render(request, "help/page.html", context)


@cache
def _rendered(page: HelpPage) -> tuple[str, list[tuple[HelpPassage, str]]]:
    sections = [(passage, markdown.render(passage.text)) for passage in page.passages]
    return markdown.render(page.introduction), sections
