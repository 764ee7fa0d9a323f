"""What each conversation shows, from the first message to the last, as Markdown and as one page of HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import get_language, get_language_bidi, pgettext
from django.utils.translation import gettext as _

from conversations import citations, windows
from conversations import markdown as rendered
from conversations.models import Conversation, Message, Role, shown_files
from conversations.transfer.trees import BATCH
from conversations.windows import Anchor

WHOLE = 2**30  # places: more than any conversation has


def markdown(conversations: Iterable[Conversation]) -> Iterator[bytes]:
    for conversation in conversations:
        yield f"# {conversation.name}\n\n".encode()
        for message in _shown(conversation):
            yield f"**{_who(message)}**, {timezone.localtime(message.created_at):%Y-%m-%d %H:%M}\n\n{message.text}\n\n".encode()
            if files := _files(message):
                yield f"{files}\n\n".encode()


def html(conversations: Iterable[Conversation]) -> Iterator[bytes]:
    direction = "rtl" if get_language_bidi() else "ltr"
    yield (
        f'<!DOCTYPE html>\n<html lang="{get_language()}" dir="{direction}"><head><meta charset="utf-8">'
        f"<title>{escape(_('Conversations'))}</title></head><body>\n"
    ).encode()
    for conversation in conversations:
        yield f'<h1 dir="auto">{escape(conversation.name)}</h1>\n'.encode()
        for message in _shown(conversation):
            head = f"<h2>{escape(_who(message))}</h2><p><time>{timezone.localtime(message.created_at):%Y-%m-%d %H:%M}</time></p>"
            files = f"<p>{escape(_files(message))}</p>" if _files(message) else ""
            yield f'<article>{head}\n<div dir="auto">{_html(message)}</div>{files}</article>\n'.encode()
    yield b"</body></html>\n"


def _files(message: Message) -> str:
    names = ", ".join(file["name"] for file in getattr(message, "files", ()))
    return _("Files, which are not in this export: %(names)s") % {"names": names} if names else ""


def _html(message: Message) -> str:
    """Its citations are words: their links lead to nothing outside of this site."""
    if message.renderer == rendered.RENDERER:
        return citations.unlinked(message.html)
    return citations.unlinked(rendered.render(message.text, breaks=message.role == Role.USER))


def _who(message: Message) -> str:
    return pgettext("author", "You") if message.role == Role.USER else _("Assistant")


def _shown(conversation: Conversation) -> Iterator[Message]:
    own = Conversation.objects.filter(pk=conversation.pk)
    row = windows.with_window(own, Anchor("from", 1), WHOLE).first()
    window = windows.window(row) if row else None  # deleted while others were written
    last = 0
    while window is not None:
        rows = conversation.messages.filter(window.holds, place__gt=last)
        rows = rows.annotate(files=shown_files())
        batch = list(rows.order_by("place")[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1].place
