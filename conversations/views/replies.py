"""The reply behind an assistant's message: stopped, continued, asked for again, allowed a tool."""

from __future__ import annotations

import uuid

from django.contrib.messages import warning
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations import answering, quotas
from conversations.choice_forms import AgainForm
from conversations.forms import OUTDATED
from conversations.models import Conversation, Message, Reply
from conversations.request import AuthenticatedHttpRequest, signed_in, wants_fragment
from conversations.views.responses import (
    SeeOther,
    fragment,
    message_now,
    messages_from,
    out_of_quota,
)


@require_POST
@signed_in
def stop(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    message = _answer(request, pk, number)
    answering.stop(message.reply)
    return message_now(request, message)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def retry(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """Again: in its place where nothing was written, as another version where something was.

    GET asks for the model; a POST without one asks the conversation's.
    """
    message = _answer(request, pk, number)
    form = AgainForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _models(request, message, form)
    try:
        new = answering.again(message.reply, form.cleaned_data["chat_model"])
    except quotas.Exceeded as error:
        return out_of_quota(request, pk, error)
    except Conversation.DoesNotExist:
        raise Http404("This conversation was deleted meanwhile.") from None
    if wants_fragment(request):
        return messages_from(request, pk, new.place)
    return SeeOther(new.get_absolute_url())


def _models(request: AuthenticatedHttpRequest, message: Message, form: AgainForm) -> HttpResponse:
    context = {
        "conversation": message.conversation,
        "message": message,
        "form": form,
        "chosen": message.reply.backend + "/" + message.reply.model,
    }
    status = 422 if form.is_bound else 200
    if wants_fragment(request):
        return fragment(request, "conversations/again.html#form", context, status)
    return render(request, "conversations/again.html", context, status=status)


@require_POST
@signed_in
def go_on(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    message = _answer(request, pk, number)
    try:
        answering.go_on(message.reply)
    except quotas.Exceeded as error:
        return out_of_quota(request, pk, error)
    except Conversation.DoesNotExist:
        raise Http404("This conversation was deleted meanwhile.") from None
    return message_now(request, message)


@require_POST
@signed_in
def tool_run(
    request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int, run: int
) -> HttpResponse:
    """Allows or refuses one call of a tool that acts, as it stood on the page."""
    message = _answer(request, pk, number)
    called = get_object_or_404(message.reply.tool_runs, pk=run)
    allow = request.POST.get("decision") == "allow"
    try:
        answering.decide(called, request.POST.get("seal", ""), allow=allow)
    except (answering.Outdated, Reply.DoesNotExist):
        if wants_fragment(request):
            return HttpResponse(OUTDATED, status=409, content_type="text/plain")
        warning(request, OUTDATED)
    except quotas.Exceeded as error:
        return out_of_quota(request, pk, error)
    return message_now(request, message)


def _answer(request: AuthenticatedHttpRequest, pk: uuid.UUID, number: int) -> Message:
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    answers = conversation.messages.filter(reply__isnull=False)
    return get_object_or_404(answers.select_related("reply", "conversation", "branch"), pk=number)


@require_safe
def events(_request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answers where the pages run without chatsite.asgi: scripts then ask for the message instead."""
    explanation = f"Events of {pk} are served by chatsite.asgi, which does not run here.\n"
    return HttpResponse(explanation, status=501, content_type="text/plain; charset=utf-8")
