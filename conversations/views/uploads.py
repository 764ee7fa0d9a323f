"""Files that come with a form, or ahead of it: stored at once, so that an error costs none of them."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from conversations import attachments
from conversations.forms import MessageForm
from conversations.models import Attachment
from conversations.request import AuthenticatedHttpRequest, is_valid_utf8
from conversations.shown import ShownFile
from conversations.tasks import enqueue_reading

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def keep(user: User, file: UploadedFile[Any]) -> Attachment:
    """Stores the file and has it read. Raises attachments.Refused."""
    with transaction.atomic():
        attachment = attachments.store(user, file)
        enqueue_reading(attachment)
    return attachment


def received[F: MessageForm](request: AuthenticatedHttpRequest, kind: type[F], **more: Any) -> F:
    """The form with the files that were sent along: those that were taken are among its `attached`,
    for the others it has an error."""
    data, problems = request.POST.copy(), []
    for file in request.FILES.getlist("upload"):
        try:
            data.appendlist("attached", str(keep(request.user, file).pk))
        except attachments.Refused as refused:
            problems.append(
                _("%(name)s: %(problem)s") % {"name": file.name, "problem": refused.words}
            )
    form = kind(data, valid_utf8=is_valid_utf8(request), **more)
    for problem in problems:
        form.add_error(None, problem)
    return form


def attached(user: User, form: MessageForm) -> list[ShownFile]:
    """The files that stand beside the text of a form which comes back."""
    wanted = []
    for number in form.typed_files:
        with suppress(ValueError):
            wanted.append(uuid.UUID(number))
    if not wanted:
        return []
    own = user.attachments.unsent().filter(pk__in=wanted)
    return [ShownFile.of(attachment) for attachment in own.in_order()]
