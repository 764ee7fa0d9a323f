"""What staff settle for the whole assistant: what a model is told first, and which tools are off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PROMPT_LENGTH = 20_000


@dataclass(frozen=True)
class SitePrompt:
    """`version` 0 is the text in the settings, which holds while staff have written none."""

    version: int
    text: str

    @classmethod
    def of(cls, found: dict[str, Any] | None) -> Self:
        """What a query found; None: staff have written none."""
        return cls(**found) if found else cls(0, settings.SYSTEM_PROMPT)


class SystemPrompt(models.Model):
    """One version; the newest holds. Rows are only added, so each says who changed what, and why."""

    text = models.TextField(_("text"), max_length=PROMPT_LENGTH)
    reason = models.CharField(_("why"), max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
        editable=False,
    )
    by_name = models.CharField(_("by"), max_length=150, editable=False)
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("system prompt")
        verbose_name_plural = _("system prompts")
        ordering = ["-id"]
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return str(_("Version %s") % self.pk)

    @classmethod
    def current(cls) -> SitePrompt:
        """The one that holds now; one query."""
        return SitePrompt.of(cls._newest().values_list("found", flat=True).first())

    @classmethod
    def beside(cls) -> Subquery:
        """The one that holds now beside the rows of another query, for SitePrompt.of()."""
        return Subquery(cls._newest().values("found")[:1])

    @classmethod
    def _newest(cls) -> QuerySet[Any, Any]:
        return cls.objects.order_by("-pk").annotate(found=JSONObject(version="pk", text="text"))


class ToolSwitch(models.Model):
    """A tool that staff have turned off. A tool without a row is on."""

    name = models.CharField(_("tool"), max_length=100, primary_key=True)
    since = models.DateTimeField(_("off since"), default=timezone.now)

    class Meta:
        verbose_name = _("tool")
        verbose_name_plural = _("tools")
        default_permissions = ("change", "view")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def off(cls) -> frozenset[str]:
        """The names of those that are off; one query."""
        return frozenset(cls.objects.values_list("name", flat=True))

    @classmethod
    def beside(cls) -> ArraySubquery:
        """The names of those that are off beside the rows of another query."""
        return ArraySubquery(cls.objects.values("name"))
