"""What a user thinks of one answer. Staff read this row, never the conversation behind it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.messages import Message

COMMENT_LENGTH = 2000


class Verdict(models.TextChoices):
    UP = "up", _("Good")
    DOWN = "down", _("Bad")


class Reason(models.TextChoices):
    CORRECT = "correct", _("Correct and to the point")
    CLEAR = "clear", _("Well explained")
    WRONG = "wrong", _("Wrong or made up")
    MISSED = "missed", _("Missed the question")
    INCOMPLETE = "incomplete", _("Incomplete")
    UNCLEAR = "unclear", _("Hard to follow")
    TOOLS = "tools", _("Used its tools wrongly")
    UNSAFE = "unsafe", _("Harmful or offensive")
    SLOW = "slow", _("Too slow")
    OTHER = "other", _("Something else")


REASONS = {
    Verdict.UP: (Reason.CORRECT, Reason.CLEAR, Reason.OTHER),
    Verdict.DOWN: tuple(reason for reason in Reason if reason not in {"correct", "clear"}),
}


class Rating(models.Model):
    """Of attempt `attempt` at an answer. `question` and `answer` are copies that the user chose to send.

    `backend`, `model` and `prompt` say what made the answer. It goes with its message.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="ratings", db_index=False)
    attempt = models.PositiveIntegerField(_("attempt"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="ratings")
    verdict = models.CharField(_("rating"), max_length=4, choices=Verdict)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason, blank=True)
    comment = models.TextField(_("in their words"), max_length=COMMENT_LENGTH, blank=True)
    texts_sent = models.BooleanField(
        _("with question and answer"), default=False, help_text=_("The user chose to send both.")
    )
    question = models.TextField(_("question"), blank=True)
    answer = models.TextField(_("answer"), blank=True)
    backend = models.CharField(_("backend"), max_length=50)
    model = models.CharField(_("model"), max_length=200, blank=True)
    prompt = models.PositiveIntegerField(
        _("system prompt"), default=0, help_text=_("Its version; 0 is the one in the settings.")
    )
    created_at = models.DateTimeField(_("rated"), default=timezone.now, editable=False)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [
            models.UniqueConstraint(
                fields=["message", "attempt", "user"], name="rating_once_an_answer"
            ),
            models.CheckConstraint(
                condition=Q(texts_sent=True) | Q(question="", answer=""),
                name="rating_sends_what_was_chosen",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="rating_newest")]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} ({self.created_at:%Y-%m-%d})"
