"""Attached files: uploaded ahead of their message, looked into, taken back. Each by its owner alone."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_POST, require_safe

from conversations.ai import offers
from conversations.attachments import Refused, limits
from conversations.models import Attachment, AttachmentPage
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.shown import ShownFile
from conversations.views import uploads
from conversations.views.responses import SeeOther, fragment
from conversations.windows import asked_number, message_id


class FileInParts(FileResponse):
    block_size = 2**16


@require_POST
@signed_in
def upload(request: AuthenticatedHttpRequest) -> HttpResponse:
    """One file, for a message that is still being written. Answers with how it looks there."""
    file = request.FILES.get("upload")
    if not isinstance(file, UploadedFile):
        return _refused(_("Choose a file first."))
    try:
        attachment = uploads.keep(request.user, file)
    except Refused as refused:
        return _refused(refused.words)
    return _chip(request, attachment, 201)


def _refused(words: str) -> HttpResponse:
    return HttpResponse(words, status=422, content_type="text/plain; charset=utf-8")


def _own(request: AuthenticatedHttpRequest, file: uuid.UUID) -> Attachment:
    own: Any = request.user.attachments
    attachment: Attachment = get_object_or_404(own, pk=file)
    return attachment


def _chip(
    request: AuthenticatedHttpRequest, attachment: Attachment, status: int = 200
) -> HttpResponse:
    context = {
        "file": ShownFile.of(attachment),
        "editable": attachment.conversation_id is None,
        "unseen": attachment.is_image and not _images_are_read(),
    }
    return fragment(request, "conversations/files.html#chip", context, status)


def _images_are_read() -> bool:
    """Whether any model on offer looks at pictures."""
    return any(offer.backend.takes_images for offer in offers.offers())


@require_safe
@signed_in
def chip(request: AuthenticatedHttpRequest, file: uuid.UUID) -> HttpResponse:
    """How the file stands now."""
    return _chip(request, _own(request, file))


@require_POST
@signed_in
def remove(request: AuthenticatedHttpRequest, file: uuid.UUID) -> HttpResponse:
    """Takes back a file that is in no message yet."""
    attachment = _own(request, file)
    if attachment.conversation_id is not None:
        raise Http404("It is part of a message: it goes with the conversation.")
    attachment.delete()
    return HttpResponse(status=204)


# Even opened in a tab of its own, whatever is in it runs nothing and loads nothing.
@require_safe
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
@signed_in
def attachment(request: AuthenticatedHttpRequest, file: uuid.UUID) -> HttpResponseBase:
    """The file itself, to be saved: never shown as a page of this site."""
    found = _own(request, file)
    if not found.can_be_downloaded:
        raise Http404("It is still being read, or was removed.")
    response = _handed_over(found) or _sent(found)
    response["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _handed_over(found: Attachment) -> HttpResponse | None:
    """Leaves the bytes to nginx, where it may read the files."""
    if not limits().accel:
        return None
    response = HttpResponse(content_type=found.media_type)
    response["X-Accel-Redirect"] = f"{limits().accel.rstrip('/')}/{quote(str(found.file.name))}"
    return response


def _sent(found: Attachment) -> FileResponse:
    try:
        return FileInParts(found.file.open("rb"), content_type=found.media_type)
    except FileNotFoundError:
        raise Http404("The file is lost.") from None


@require_safe
@signed_in
def text(request: AuthenticatedHttpRequest, file: uuid.UUID) -> HttpResponse:
    """What was read of the file: its page ?page=, each line with a name to be linked by."""
    found = _own(request, file)
    number = asked_number(request.GET, "page", 1)
    page = found.pages.filter(number=number).first()
    if page is None and (found.is_ready or number != 1):
        raise Http404("The file has no such page.")
    last = found.pages.order_by("-number").values_list("number", flat=True).first() or 0
    context = {
        "file": ShownFile.of(found),
        "attachment": found,
        "page": page,
        "last": last,
        "previous": number - 1,
        "next": number + 1 if number < last else 0,
    }
    return render(request, "conversations/attachment.html", context)


@require_safe
@signed_in
def cited(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Where ?file= of this conversation says ?page= and ?line=: what an answer's citations link to."""
    conversation = get_object_or_404(request.user.conversations, pk=pk)
    name = request.GET.get("file", "").replace("\0", "")
    # An import may bring two of one name.
    found = conversation.attachments.filter(name=name).in_order().first()
    if found is None:
        raise Http404("The conversation has no such file.")
    line = asked_number(request.GET, "line", 1)
    page = _page(found, request.GET.get("page"), line)
    if page is None:
        raise Http404("The file has no such page.")
    address = reverse("conversations:attachment_text", args=[found.pk])
    return SeeOther(f"{address}?page={page.number}#l{line}")


def _page(found: Attachment, number: str | None, line: int) -> AttachmentPage | None:
    if number:
        return found.pages.filter(number=message_id(number)).first()
    return found.pages.filter(first_line__lte=line).order_by("-first_line", "number").first()
