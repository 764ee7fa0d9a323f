"""What a user has chosen on the pages of /settings/: one row, made with the first choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.conversations import CHAT_MODEL_LENGTH, SYSTEM_PROMPT_LENGTH

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Theme(models.TextChoices):
    """The value is that of `data-theme` on the page; "" follows the device."""

    SYSTEM = "", _("System")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")
    CONTRAST = "contrast", _("High contrast")


class PreferencesQuerySet(models.QuerySet["Preferences"]):
    def change(self, user: User, **fields: object) -> Preferences:
        """Stores a user's choices, in their first row where there is none yet."""
        changed, _created = self.update_or_create(user=user, defaults=fields)
        return changed


class Preferences(models.Model):
    """A user without a row has the defaults. "" leaves a choice to the site or to the browser."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="preferences"
    )
    theme = models.CharField(max_length=10, choices=Theme, blank=True)
    system_prompt = models.CharField(
        max_length=SYSTEM_PROMPT_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="Told to the model before every conversation.",
    )
    chat_model = models.CharField(
        max_length=CHAT_MODEL_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="With which new conversations begin.",
    )
    use_caches = models.BooleanField(
        "answer and show pages from the caches", default=True, db_default=True
    )
    keep_history = models.BooleanField(
        default=True, db_default=True, help_text="Else new conversations begin as temporary ones."
    )
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)

    objects = PreferencesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"Preferences of user {self.user_id}"
