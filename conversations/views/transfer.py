"""Conversations taken away as a file, and brought back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from conversations import chatgpt
from conversations import transfer as transferring
from conversations.models import Conversation, Import, Preferences
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.tasks import enqueue_import
from conversations.views.brought_settings import brought
from conversations.views.responses import SeeOther

IMPORTS = 3  # of one user that are not read yet: each is stored, and takes a worker


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def transfer(request: AuthenticatedHttpRequest) -> HttpResponseBase:
    """The page of both; with ?format= all own conversations; a POST brings a file back."""
    if request.method == "POST":
        return _read(request)
    if name := request.GET.get("format"):
        own = request.user.conversations.kept().newest_first()
        more = {"preferences": request.preferences} if name == "json" else {}
        return _file(transferring.one_by_one(own), name, "conversations", **more)
    return render(request, "conversations/transfer.html")


@require_safe
@signed_in
def export(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """One conversation, as ?format= says: json (the default), markdown or html."""
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    return _file([conversation], request.GET.get("format", "json"), "conversation")


def _file(
    conversations: Iterable[Conversation], name: str, what: str, **more: Preferences
) -> StreamingHttpResponse:
    if name not in transferring.FORMATS:
        raise Http404("The formats are json, markdown and html.")
    write, content_type = transferring.FORMATS[name]
    response = StreamingHttpResponse(write(conversations, **more), content_type=content_type)
    day = timezone.localdate().isoformat()
    response["Content-Disposition"] = (
        f'attachment; filename="{what}-{day}.{transferring.ENDINGS[name]}"'
    )
    return response


def _read(request: AuthenticatedHttpRequest) -> HttpResponse:
    """An export may hold years: a job reads it, and its page says how far it is."""
    file = request.FILES.get("file")
    if file is None:
        return _refused(request, _("Choose a file first."))
    if (file.size or 0) > transferring.MOST_BYTES:
        most = transferring.MOST_BYTES // 2**20
        return _refused(
            request,
            _("The file has more than %(most)d MB, which is what is read at once.")
            % {"most": most},
        )
    if request.user.imports.unfinished().count() >= IMPORTS:
        return _refused(request, _("Too many requests. Wait a little and try again."), 429)
    with transaction.atomic():
        found = Import(user=request.user, language=get_language() or "")
        found.file.save("", file, save=False)
        found.save()
        enqueue_import(found)
    return SeeOther(found.get_absolute_url())


@require_safe
@signed_in
def imported(request: AuthenticatedHttpRequest, number: int) -> HttpResponse:
    """How an import stands, and what became of it."""
    found = get_object_or_404(Import.objects.filter(user=request.user), pk=number)
    report = [
        {**one, "left": [(chatgpt.left(kind), count) for kind, count in one["left"].items()]}
        for one in found.report
    ]
    problem = chatgpt.explanation(found.problem)
    if found.words:
        problem = _("Nothing was imported. %(reason)s") % {"reason": found.words}
    context = {
        "import": found,
        "report": report,
        "problem": problem,
        "settings": brought(request.preferences, found),
    }
    return render(request, "conversations/import.html", context)


def _refused(request: AuthenticatedHttpRequest, problem: str, status: int = 422) -> HttpResponse:
    return render(request, "conversations/transfer.html", {"problem": problem}, status=status)
