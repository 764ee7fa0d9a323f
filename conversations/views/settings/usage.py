"""What the user has used: quotas with how much of each is left, sums by day and by month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from conversations import attachments, quota_words, quotas
from conversations import usage as sums
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.views.settings.pages import section_page

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@require_safe
@signed_in
def usage(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Five queries, whatever the user has used; days and months are those of UTC."""
    context = {
        "bars": [_bar(standing) for standing in quotas.standing(request.user.pk)],
        "files": _files(request.user),
        "days": sums.by_day(request.user),
        "months": sums.by_month(request.user),
    }
    return section_page(request, "settings/usage.html", context)


def _bar(standing: quotas.Standing) -> dict[str, object]:
    return {
        "name": quota_words.name(standing.limit),
        "used": quota_words.amount(standing.limit, standing.used),
        "percent": standing.percent,
        "is_reached": standing.is_reached,
        "resets": quota_words.resets(standing),
        "id": f"quota-{standing.limit.measure}-{standing.limit.period}",
    }


def _files(user: User) -> dict[str, int] | None:
    """How many bytes the user's files take of how many; None where there can be none."""
    bounds = attachments.limits()
    if not bounds.per_message or not bounds.user_bytes:
        return None
    used = user.attachments.bytes()
    percent = min(100, 100 * used // bounds.user_bytes)
    return {"used": used, "most": bounds.user_bytes, "percent": percent}
