"""The rating of an answer: the thumbs below it, and a form that says why."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.messages import warning
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from conversations import rating
from conversations.models import Message, Verdict
from conversations.rating_form import RatingForm
from conversations.request import (
    AuthenticatedHttpRequest,
    is_valid_utf8,
    signed_in,
    wants_fragment,
)
from conversations.views.responses import fragment, message_now

NOT_FINISHED = _("This answer is not finished: rate it when it stands.")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def rate(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """GET has the form; POST sets the thumb (`thumb`), takes it back, or stores the form."""
    message = _answer(request, pk, number)
    if request.method != "POST":
        return _page(request, message, _unbound(request, message))
    thumb = request.POST.get("thumb")
    try:
        if thumb is not None:
            return _thumb(request, message, thumb)
        return _explain(request, message)
    except rating.NotFinished:
        if wants_fragment(request):
            return HttpResponse(NOT_FINISHED, status=409, content_type="text/plain")
        warning(request, NOT_FINISHED)
        return message_now(request, message)


def _thumb(request: AuthenticatedHttpRequest, message: Message, thumb: str) -> HttpResponse:
    if thumb in Verdict:
        rating.rate(message, request.user, Verdict(thumb))
    else:
        rating.remove(message, request.user)
    return message_now(request, message)


def _explain(request: AuthenticatedHttpRequest, message: Message) -> HttpResponse:
    form = RatingForm(request.POST, valid_utf8=is_valid_utf8(request))
    if not form.is_valid():
        return _page(request, message, form, 422)
    try:
        found = rating.rate(message, request.user, form.cleaned_data["verdict"])
    except rating.NotFinished:
        if wants_fragment(request):  # the form is still there
            raise
        form.add_error(None, NOT_FINISHED)
        return _page(request, message, form, 409)
    rating.explain(found, **form.cleaned_data)
    return message_now(request, message)


def _answer(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> Message:
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    answers = conversation.messages.filter(reply__isnull=False)
    return get_object_or_404(answers.select_related("reply", "conversation", "branch"), pk=number)


def _unbound(request: AuthenticatedHttpRequest, message: Message) -> RatingForm:
    found = rating.find(message, request.user)
    initial: dict[str, Any] = {"verdict": request.GET.get("verdict", "")}
    if found:
        initial = {
            "verdict": found.verdict,
            "reason": found.reason,
            "comment": found.comment,
            "send_texts": found.texts_sent,
        }
    return RatingForm(initial=initial)


def _page(
    request: AuthenticatedHttpRequest, message: Message, form: RatingForm, status: int = 200
) -> HttpResponse:
    context = {"conversation": message.conversation, "message": message, "form": form}
    if wants_fragment(request):
        return fragment(request, "conversations/rating.html#form", context, status)
    return render(request, "conversations/rating.html", context, status=status)
