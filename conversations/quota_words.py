"""What a user reads about a quota: which one, how much of it is used, when it begins anew."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from conversations.models import Measure
from conversations.money import money
from conversations.quotas import Exceeded, Limit, Standing

NAMES: dict[tuple[str, str], Any] = {
    ("messages", "hour"): ngettext_lazy(
        "%(most)s message an hour", "%(most)s messages an hour", "count"
    ),
    ("messages", "day"): ngettext_lazy(
        "%(most)s message a day", "%(most)s messages a day", "count"
    ),
    ("messages", "month"): ngettext_lazy(
        "%(most)s message a month", "%(most)s messages a month", "count"
    ),
    ("tokens", "hour"): ngettext_lazy("%(most)s token an hour", "%(most)s tokens an hour", "count"),
    ("tokens", "day"): ngettext_lazy("%(most)s token a day", "%(most)s tokens a day", "count"),
    ("tokens", "month"): ngettext_lazy(
        "%(most)s token a month", "%(most)s tokens a month", "count"
    ),
    ("cost", "hour"): gettext_lazy("%(most)s an hour"),
    ("cost", "day"): gettext_lazy("%(most)s a day"),
    ("cost", "month"): gettext_lazy("%(most)s a month"),
}


def name(limit: Limit) -> str:
    """10 messages an hour."""
    words = {"most": amount(limit, limit.most), "count": limit.most}
    return str(NAMES[limit.measure, limit.period] % words)


def amount(limit: Limit, units: int) -> str:
    """1,200, or 0.35 USD."""
    value = limit.amount(units)
    if limit.measure != Measure.COST:
        return formats.number_format(value, use_l10n=True, force_grouping=True)
    return money(Decimal(value), settings.CHAT_CURRENCY)


def resets(standing: Standing) -> str:
    """The time of day, with its date where that is another day."""
    moment = timezone.localtime(standing.resets_at)
    today = moment.date() == timezone.localdate()
    return formats.date_format(moment, "TIME_FORMAT" if today else "DATETIME_FORMAT")


def refusal(error: Exceeded) -> str:
    """Why a message was not taken, and when it will be."""
    standing, limit = error.standing, error.standing.limit
    words = {
        "quota": name(limit),
        "used": amount(limit, standing.used),
        "want": amount(limit, error.want),
        "time": resets(standing),
        "zone": timezone.get_current_timezone_name(),
    }
    if error.is_too_large and limit.most:
        return (
            _(
                "This answer may take %(want)s, more than your quota of %(quota)s allows at all. "
                "Shorten your text, or begin a new conversation."
            )
            % words
        )
    if not standing.is_reached:
        return (
            _(
                "Your quota of %(quota)s leaves too little: %(used)s are used, and this answer may "
                "take %(want)s. It begins anew at %(time)s (%(zone)s)."
            )
            % words
        )
    return (
        _(
            "Your quota of %(quota)s is used up: %(used)s are used. "
            "It begins anew at %(time)s (%(zone)s)."
        )
        % words
    )
