"""The site's settings with short leases: a dead worker is missed after seconds, so that a test need not wait."""

from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig

from chatsite.settings import *  # noqa: TID251

TASKS["default"]["OPTIONS"] = {"LEASE": 3}
INSTALLED_APPS += ["tests.verification.resume.hurried.Hurried"]


class Hurried(AppConfig):
    name = "tests.verification.resume"
    label = "hurried"

    def ready(self) -> None:
        from conversations.models import replies

        replies.SILENCE = timedelta(seconds=6)
