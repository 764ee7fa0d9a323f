"""The list of own conversations, one of them, its name and its end."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from conversations import deleting, prepared, quotas, reading, sending, validators
from conversations.attachments import Refused
from conversations.choice_forms import StartForm
from conversations.conditional import conditional
from conversations.forms import KEY_REUSED, RenameForm
from conversations.models import Conversation
from conversations.paging import Listing
from conversations.request import (
    AuthenticatedHttpRequest,
    signed_in,
    wants_fragment,
)
from conversations.views.responses import (
    SeeOther,
    kept_conversation_page,
    kept_list_page,
    list_page,
    over_quota,
    refusal,
)
from conversations.views.uploads import received


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def conversation_list(request: HttpRequest) -> HttpResponseBase:
    """A landing page for visitors; for others their conversations, and a box to begin one."""
    if request.method == "POST":
        return _start(request)
    if request.user.is_authenticated or wants_fragment(request):
        return _list(request)
    return conditional(request, validators.public(request), lambda: _landing(request))


def _landing(request: HttpRequest) -> HttpResponse:
    return prepared.public(request, validators.anybody(request), "landing.html", dict)


@signed_in
def _list(request: AuthenticatedHttpRequest) -> HttpResponseBase:
    name = validators.page(request)
    if wants_fragment(request):
        return conditional(request, name, lambda: _rows(request, name))
    return conditional(request, name, lambda: kept_list_page(request, name))


def _rows(request: AuthenticatedHttpRequest, name: str | None) -> HttpResponse:
    def read() -> tuple[prepared.Context, bool]:
        listing, cached = Listing.read(request.GET), request.preferences.use_caches
        return {"page": reading.conversation_page(request.user, listing, cached=cached)}, True

    return prepared.page(request, name, "conversations/sidebar.html#rows", read)


@signed_in
def _start(request: AuthenticatedHttpRequest) -> HttpResponse:
    form = received(request, StartForm, preferences=request.preferences)
    if form.is_valid():
        try:
            conversation = sending.start(request.user, **form.cleaned_data)
        except sending.KeyReused:
            form.add_error("text", KEY_REUSED)
        except Refused as refused:
            form.add_error("attached", refused.words)
        except quotas.Exceeded as error:
            return over_quota(request, form, error)
        else:
            return _go_to(request, conversation)
    if wants_fragment(request):
        return refusal(request, form, 422)
    return list_page(request, form, 422)


def _go_to(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    url = conversation.get_absolute_url()
    if wants_fragment(request):
        return HttpResponse(status=201, headers={"HX-Redirect": url})
    return SeeOther(url)


@require_safe
@signed_in
def detail(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The newest messages, or those that `?before=`, `?after=`, `?at=` or `?from=` asks for."""
    name = validators.page(request)
    return conditional(request, name, lambda: kept_conversation_page(request, name, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def rename(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponse:
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    form = RenameForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        filed = dict(form.cleaned_data)
        title = filed.pop("title")
        if title != conversation.title:
            conversation.rename(title)
        conversation.file(**filed)
        return SeeOther(conversation.get_absolute_url())
    context = {
        "conversation": conversation,
        "form": form,
        "title": form.data.get("title", conversation.title),
        "pinned": "pinned" in form.data if form.is_bound else conversation.pinned,
        "archived": "archived" in form.data if form.is_bound else conversation.archived,
        "tags": form.data.get("tags", ", ".join(conversation.tags)),
    }
    status = 422 if form.is_bound else 200
    return render(request, "conversations/rename.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def delete(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponse:
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    if request.method == "POST":
        deleting.delete(conversation)
        return SeeOther(reverse("conversations:list"))
    return render(request, "conversations/delete.html", {"conversation": conversation})
