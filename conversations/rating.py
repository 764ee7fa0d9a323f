"""What a user says of an answer: thumbs up or down, why, and whether staff may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from conversations import windows
from conversations.models import OPEN, REASONS, Message, Rating, Reply, Verdict

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class NotFinished(Exception):
    """The answer is still being made, so there is nothing to rate."""


def find(message: Message, user: User) -> Rating | None:
    """What `user` says of the attempt that stands there now."""
    ratings = Rating.objects.filter(message=message, user=user)
    return ratings.filter(attempt=message.reply.attempt).first()


def rate(message: Message, user: User, verdict: Verdict) -> Rating:
    """The thumb alone; a reason that does not go with it is dropped. Raises NotFinished."""
    with transaction.atomic():
        _refuse_open(message)
        rating = find(message, user) or _new(message, user)
        rating.verdict = verdict
        if rating.reason not in REASONS[verdict]:
            rating.reason = ""
        rating.save()
    return rating


def explain(
    rating: Rating, *, verdict: Verdict, reason: str, comment: str, send_texts: bool
) -> None:
    """All of it, as the form has it. Question and answer are kept in it only while they are sent."""
    rating.verdict, rating.reason, rating.comment = verdict, reason, comment
    rating.texts_sent = send_texts
    rating.question = _question(rating.message) if send_texts else ""
    rating.answer = rating.message.text if send_texts else ""
    rating.save()


def remove(message: Message, user: User) -> None:
    """Takes it back, with whatever was sent along."""
    if rating := find(message, user):
        rating.delete()


def _refuse_open(message: Message) -> None:
    # Locked, so that no attempt begins between this look and the rating of the last one.
    reply = Reply.objects.select_for_update().get(message=message)
    if reply.status in OPEN or not message.text:
        raise NotFinished
    message.reply = reply


def _new(message: Message, user: User) -> Rating:
    reply = message.reply
    return Rating(
        message=message,
        attempt=reply.attempt,
        user=user,
        backend=reply.backend,
        model=reply.model,
        prompt=reply.prompt,
    )


def _question(message: Message) -> str:
    return "".join(before.text for before in windows.before(message, 1))
