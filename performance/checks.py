"""System checks of the settings block; `manage.py check` prints what they find."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from performance import conf


@register
def check_settings(**kwargs: object) -> list[CheckMessage]:
    _, errors = conf.read(getattr(settings, "PERFORMANCE", {}))
    return [Error(message, id="performance.E001") for message in errors]
