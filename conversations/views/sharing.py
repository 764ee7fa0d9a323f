"""Share links for their owner: one is made after a look at what it shows; all of them; their end."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations import sharing
from conversations.models import Conversation, ShareLink
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.share_forms import PreviewForm, ShareForm
from conversations.sharing import Rules, Snapshot
from conversations.views.responses import SeeOther
from conversations.views.settings import section_page
from conversations.windows import asked_number, message_id

LINKS = 30  # on a page


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def share(request: AuthenticatedHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What a link to this conversation would show; a POST makes one to exactly that.

    A temporary one has none: what is shared is kept for others.
    """
    conversation = get_object_or_404(request.user.conversations.kept(), pk=pk)
    allowed = sharing.rules()
    if not allowed.enabled:
        status = 403 if request.method == "POST" else 200
        return render(request, "sharing/off.html", {"conversation": conversation}, status=status)
    if request.method == "POST":
        return _make(request, conversation, allowed)
    return _preview(request, conversation, allowed)


def _preview(
    request: AuthenticatedHttpRequest,
    conversation: Conversation,
    allowed: Rules,
    problem: str = "",
) -> HttpResponse:
    form = PreviewForm(request.GET)
    form.full_clean()
    name = request.user.get_username() if form.cleaned_data.get("with_name") else ""
    with_tools = bool(form.cleaned_data.get("with_tools"))
    shown = sharing.now(conversation, with_tools=with_tools, name=name)
    context: dict[str, Any] = {
        "conversation": conversation,
        "lives": ShareForm.lives(allowed.most_days),
        "with_tools": with_tools,
        "name": name,
        "problem": problem,
        "key": uuid.uuid4(),
    }
    if shown:
        first = asked_number(request.GET, "from", 1)
        context["page"] = sharing.page(conversation, shown, first)
        context["sealed"] = shown.sealed(conversation)
    return render(request, "sharing/share.html", context, status=422 if problem else 200)


def _make(
    request: AuthenticatedHttpRequest, conversation: Conversation, allowed: Rules
) -> HttpResponse:
    form = ShareForm(request.POST, most_days=allowed.most_days)
    if not form.is_valid():
        return _preview(request, conversation, allowed, " ".join(form.problems))
    days = form.cleaned_data["days"]
    expires_at = timezone.now() + timedelta(days=days) if days else None
    try:
        shown = Snapshot.unsealed(form.cleaned_data["snapshot"], conversation)
        key = form.cleaned_data["key"]
        secret = sharing.make(request.user, conversation, shown, expires_at, key)
    except sharing.Outdated:
        problem = _("This preview is too old. Look at it again, then make the link.")
        return _preview(request, conversation, allowed, problem)
    except sharing.TooManyLinks:
        problem = _("You have %(most)s links that work. Revoke some of them first.")
        return _preview(request, conversation, allowed, problem % {"most": sharing.MOST_LINKS})
    if not secret:  # sent twice: the link was shown the first time
        return SeeOther(reverse("conversations:shares"))
    url = request.build_absolute_uri(reverse("conversations:shared", args=[secret]))
    context = {"conversation": conversation, "url": url, "expires_at": expires_at}
    return render(request, "sharing/made.html", context, status=201)


@require_safe
@signed_in
def shares(request: AuthenticatedHttpRequest) -> HttpResponse:
    """All own links, newest first."""
    before = message_id(request.GET["before"]) if request.GET.get("before") else None
    found = request.user.share_links.newest_first(before).select_related("conversation", "user")
    links = list(found[: LINKS + 1])
    allowed = sharing.rules()
    context = {
        "rows": [_row(link, allowed) for link in links[:LINKS]],
        "next": links[LINKS - 1].pk if len(links) > LINKS else 0,
        "enabled": allowed.enabled,
        "ended_days": settings.SHARING_ENDED_DAYS,
    }
    return section_page(request, "sharing/shares.html", context)


def _row(link: ShareLink, allowed: Rules) -> dict[str, Any]:
    ends_at = link.ends_at(allowed.most_days)
    ended = link.revoked_at is not None or (ends_at is not None and ends_at <= timezone.now())
    return {"link": link, "ends_at": ends_at, "ended": ended}


@require_POST
@signed_in
def revoke(request: AuthenticatedHttpRequest, number: int) -> HttpResponse:
    """Ends one link, from the next request on."""
    link = request.user.share_links.filter(pk=number)
    if not link.exists():
        raise Http404("There is no such link.")
    link.revoke()
    messages.success(request, _("The link is revoked: it opens for nobody any more."))
    return SeeOther(reverse("conversations:shares"))
