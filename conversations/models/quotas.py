"""How much a user may ask for in an hour, a day or a month."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Measure(models.TextChoices):
    MESSAGES = "messages", _("messages")
    TOKENS = "tokens", _("tokens")
    COST = "cost", _("cost")


class Period(models.TextChoices):
    HOUR = "hour", _("an hour")
    DAY = "day", _("a day")
    MONTH = "month", _("a month")


class QuotaQuerySet(models.QuerySet["Quota"]):
    def about(self, user_id: int) -> Self:
        """Those of the user, of the user's groups, and those for everybody: one query."""
        return self.filter(
            Q(user=user_id) | Q(group__user=user_id) | Q(user=None, group=None)
        ).distinct()


class Quota(models.Model):
    """For one user, for the members of a group, or for everybody who has no closer one.

    Of several with the same measure and period the user's own holds, then that of the groups which
    allows most, then everybody's. `most` of None allows any amount: an exception from a wider one.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="quotas"
    )
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="quotas")
    measure = models.CharField(_("of what"), max_length=8, choices=Measure)
    period = models.CharField(_("in"), max_length=5, choices=Period)
    most = models.DecimalField(
        _("at most"),
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Empty: any amount. A cost is in the site's currency."),
    )

    objects = QuotaQuerySet.as_manager()

    class Meta:
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        ordering = ["measure", "period", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "group", "measure", "period"],
                name="quota_once",
                nulls_distinct=False,
                violation_error_message=_("There is such a quota already: change that one."),
            ),
            models.CheckConstraint(
                condition=Q(user=None) | Q(group=None),
                name="quota_of_a_user_or_a_group",
                violation_error_message=_("Choose a user or a group, not both."),
            ),
            models.CheckConstraint(
                condition=Q(most=None) | Q(most__gte=0), name="quota_not_below_0"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder}: {self.allowance}"

    @property
    def holder(self) -> str:
        if self.user is not None:
            return self.user.get_username()
        return str(_("group %s") % self.group.name if self.group else _("everybody"))

    @property
    def allowance(self) -> str:
        amount = _("any amount of") if self.most is None else f"{self.most.normalize():f}"
        return f"{amount} {self.get_measure_display()} / {self.get_period_display()}"

    def clean(self) -> None:
        super().clean()
        if self.most is not None and self.measure != Measure.COST and self.most % 1:
            raise ValidationError({"most": _("Messages and tokens are whole numbers.")})


class StaffChange(models.Model):
    """What staff changed, when and why. Rows are only added."""

    class Kind(models.TextChoices):
        QUOTA = "quota", _("quota")
        TOOL = "tool", _("tool")

    kind = models.CharField(_("what"), max_length=8, choices=Kind)
    subject = models.CharField(_("which"), max_length=200)
    before = models.CharField(_("before"), max_length=200, blank=True)
    after = models.CharField(_("after"), max_length=200, blank=True)
    reason = models.CharField(_("why"), max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    by_name = models.CharField(
        _("by"), max_length=150, help_text=_("Stays when the account is deleted.")
    )
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("change by staff")
        verbose_name_plural = _("changes by staff")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.subject}: {self.after or '-'}"

    @classmethod
    def note(cls, by: Any, kind: Kind, subject: str, **words: str) -> None:
        """Adds a row; `words` are `before`, `after` and `reason`."""
        cut = {name: text[:200] for name, text in words.items()}
        cls.objects.create(
            kind=kind, subject=subject[:200], by=by, by_name=by.get_username(), **cut
        )
