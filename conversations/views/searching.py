"""Search in all own messages."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations import searching, validators
from conversations.conditional import conditional
from conversations.forms import SearchForm
from conversations.request import AuthenticatedHttpRequest, signed_in


@require_safe
@signed_in
def search(request: AuthenticatedHttpRequest) -> HttpResponseBase:
    """?words= of ?role= between the days ?since= and ?until=; ?page= is 1 to searching.PAGES.

    ?q= are the words too: what browsers' own search keywords and links from elsewhere call them.
    """
    return conditional(request, validators.page(request), lambda: _search(request))


def _search(request: AuthenticatedHttpRequest) -> HttpResponse:
    form = SearchForm({"words": request.GET.get("q", ""), **request.GET.dict()})
    asked = form.is_valid() and bool(form.cleaned_data["words"])
    context: dict[str, Any] = {"form": form, "wanted": None, "most": searching.MOST}
    if asked:
        wanted, page = form.wanted, form.cleaned_data["page"] or 1
        results = searching.search(request.user, wanted, page)
        more = page * searching.HITS < results.count
        context |= {
            "wanted": wanted,
            "results": results,
            "first": (page - 1) * searching.HITS + 1,
            "previous": page - 1,
            "next": page + 1 if more else 0,
        }
    return render(request, "conversations/search.html", context, status=422 if form.errors else 200)
