"""The rows of one attempt at a reply: claimed, kept up to date, ended, each guarded by its number."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import structlog
from django.conf import settings
from django.db import IntegrityError, close_old_connections, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop
from msgspec import structs

from conversations import instructions, markdown, quotas, spent, tools, windows, zones
from conversations.ai import ChatBackend, offers
from conversations.ai.base import ToolCall, Turn
from conversations.ai.prices import Price
from conversations.models import (
    Entry,
    Message,
    Preferences,
    Reply,
    Role,
    SitePrompt,
    Status,
    ToolRun,
)
from conversations.spent import Payer, Saved, Spent
from performance.cache import conversation_cache

logger = structlog.get_logger(__name__)

HISTORY = 100  # messages that a backend is shown
INTERNAL: dict[str, object] = {
    "error": "internal",
    "explanation": gettext_noop(
        "Something went wrong on this site. Your message is saved; you can try again."
    ),
}


class Pause(msgspec.Struct, frozen=True):
    """Where an answer waits for its user: what model and tools said, and how many runs there were."""

    turns: list[Turn]
    runs: int


@dataclass
class Attempt:
    """One run at a reply: what it was given, what it has made so far.

    `keeps` says that answers and results of tools may be taken from caches and put there.
    """

    reply: Reply
    number: int
    backend: ChatBackend
    turns: list[Turn]
    context: tools.ToolContext
    model: str = ""  # one of the backend's
    system: str = ""
    keeps: bool = True
    earlier: list[Message] = field(default_factory=list)  # what the first turns were made of
    has_files: bool = False  # are any attached to these
    prompt: int = 0  # the version of the site's system prompt
    off: frozenset[str] = frozenset()  # tools that staff have turned off
    begun: str = ""  # the text of an earlier attempt that this one goes on from
    runs: list[ToolRun] = field(default_factory=list)  # and its tools' runs
    known: int = 0  # turns that are in the database
    asked: tuple[ToolCall, ...] = ()  # and the calls at which it had to ask for permission
    text: str = ""
    carried: Spent = field(
        default_factory=Spent
    )  # by the earlier attempts that this one goes on from
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False  # some of these tokens were not counted by the provider
    asked_at: datetime | None = None
    first_event_at: datetime | None = None
    first_text_at: datetime | None = None
    published_at: datetime | None = None
    frames: int = 0
    tool_count: int = 0
    lasting: bool = True  # no tool had a part in it whose results may differ next time
    finish_reason: str = ""
    stored: str = ""  # the text as the database has it
    saved: Saved | None = None  # what it would have taken without our cache
    outcome: dict[str, object] = field(default_factory=dict)
    deleted: bool = False  # with its conversation, while it was written

    @property
    def spent(self) -> Spent:
        """By this attempt alone, at today's price."""
        counts = self.input_tokens, self.output_tokens, self.cached_tokens
        return Spent.now(self.price, *counts, estimated=self.estimated)

    @property
    def price(self) -> Price:
        return self.backend.price_for(self.model)

    @property
    def message(self) -> Message:
        return self.reply.message


def begin(reply_id: int, number: int) -> Attempt | None:
    close_old_connections()
    if not Reply.objects.begin(reply_id, number):
        return None
    reply = Reply.objects.for_attempt().get(pk=reply_id)
    message = reply.message
    offer = _offer(reply)
    before = windows.before(message, HISTORY).for_model()
    earlier = [one for one in before if one.text or one.has_files]  # type: ignore[attr-defined]
    turns = [_turn(one) for one in earlier]
    preferences = getattr(message.conversation.user, "preferences", None) or Preferences()
    context = tools.ToolContext(
        user_id=message.conversation.user_id,
        conversation_id=str(message.conversation_id),
        time_zone=_zone(preferences),
    )
    attempt = Attempt(reply, number, offer.backend, turns, context, offer.model, known=len(turns))
    attempt.earlier, attempt.has_files = earlier, any(one.has_files for one in earlier)  # type: ignore[attr-defined]
    _prefer(attempt, preferences)
    if reply.continues or reply.turns:
        _go_on(attempt)
    elif number > 1:
        reply.tool_runs.all().delete()
    return attempt


def _offer(reply: Reply) -> offers.Offer:
    """What it was asked of. Where that is gone the site's own choice answers, and the answer says so."""
    found = offers.asked(reply.backend, reply.model)
    reply.instead_of = "" if found else reply.model or reply.backend
    return found or offers.offers()[0]


def _zone(preferences: Preferences) -> str:
    """As chosen, else the site's own: a name that was stored may mean nothing any more."""
    chosen = preferences.time_zone
    return chosen if chosen in zones.names() else settings.TIME_ZONE


def _prefer(attempt: Attempt, preferences: Preferences) -> None:
    """What staff, the user and the conversation want of every answer."""
    conversation = attempt.message.conversation
    site = SitePrompt.of(attempt.reply.site_prompt)  # type: ignore[attr-defined]
    attempt.prompt = site.version
    attempt.off = frozenset(attempt.reply.tools_off)  # type: ignore[attr-defined]
    attempt.system = instructions.system_prompt(
        site.text, preferences.system_prompt, conversation.system_prompt
    )
    attempt.keeps = (
        conversation.reuse_answers and preferences.use_caches and not conversation.temporary
    )


def _go_on(attempt: Attempt) -> None:
    """Takes over what the attempt before has made."""
    reply = attempt.reply
    attempt.runs = list(reply.tool_runs.all())
    if reply.turns:
        pause = msgspec.json.decode(reply.turns, type=Pause)
        attempt.turns += pause.turns
        attempt.asked = pause.turns[-1].tool_calls
        attempt.runs = attempt.runs[: pause.runs]  # more are those of an attempt that died since
    reply.tool_runs.exclude(pk__in=[run.pk for run in attempt.runs]).delete()
    for run in attempt.runs:
        run.attempt = attempt.number
    ToolRun.objects.bulk_update(attempt.runs, ["attempt"])
    attempt.tool_count = len(attempt.runs)
    attempt.text = attempt.begun = attempt.stored = attempt.message.text
    attempt.carried = Spent.before(reply)
    attempt.lasting = False


def bring_files(attempt: Attempt, *, patient: bool) -> bool:
    """Gives the turns the files of their messages. False where `patient` and one is still being read."""
    takes_images = attempt.backend.takes_images
    # In the worker alone: it brings numpy and the embeddings with it.
    from conversations.attachments import quoting

    found = quoting.files(attempt.earlier, takes_images=takes_images, patient=patient)
    if found is None:
        return False
    for at, message in enumerate(attempt.earlier):
        if message.pk in found:
            attempt.turns[at] = structs.replace(attempt.turns[at], files=found[message.pk])
    return True


def asking(attempt: Attempt) -> dict[str, object]:
    """What the reply keeps while its user is asked."""
    pause = Pause(attempt.turns[attempt.known :], attempt.tool_count)
    return {"turns": msgspec.json.encode(pause).decode()}


def _turn(message: Message) -> Turn:
    return Turn("assistant" if message.role == Role.ASSISTANT else "user", message.text)


def checkpoint(attempt: Attempt, stream_start: str) -> bool:
    """Saves the text so far. False when the user asked to stop or a newer attempt writes."""
    close_old_connections()
    text = attempt.text
    with transaction.atomic():
        mine = Reply.objects.filter(stop_requested=False).write(
            attempt.reply.pk, attempt.number, beat_at=timezone.now(), stream_start=stream_start
        )
        if mine and text != attempt.stored:
            _save_text(attempt, text)
    _forget(attempt)
    return mine


def hold(attempt: Attempt, seconds: float) -> None:
    """Keeps until when the provider's limits hold it up; 0: no more. The provider is asked from then on."""
    now = timezone.now()
    attempt.asked_at = now
    until = now + timedelta(seconds=seconds) if seconds else None
    Reply.objects.all().write(attempt.reply.pk, attempt.number, waits_until=until)
    _forget(attempt)


def end(attempt: Attempt, status: Status) -> bool:
    close_old_connections()
    with transaction.atomic():
        mine = Reply.objects.all().write(
            attempt.reply.pk,
            attempt.number,
            status=status,
            backend=attempt.backend.alias,
            model=attempt.model[:200],
            instead_of=attempt.reply.instead_of,
            author=attempt.backend.label[:100],
            prompt=attempt.prompt,
            **spent.fields(attempt.carried + attempt.spent, attempt.price),
            saved_tokens=attempt.saved.tokens if attempt.saved else None,
            saved_cost=attempt.saved.cost if attempt.saved else None,
            asked_at=attempt.asked_at,
            first_event_at=attempt.first_event_at,
            first_text_at=attempt.first_text_at,
            published_at=attempt.published_at,
            frames=attempt.frames,
            finished_at=timezone.now(),
            waits_until=None,
            **{"turns": "", "continues": False, **attempt.outcome},
        )
        if mine:
            _save_text(attempt, attempt.text)
            made = _enter(attempt, messages=_counts(attempt, status))
    if mine:
        quotas.settle(attempt.context.user_id, attempt.reply.pk, made)
    else:
        _count_deleted(attempt, messages=_counts(attempt, status))
    _forget(attempt)
    logger.info("reply_ended", status=str(status), written=mine, characters=len(attempt.text))
    return mine


def _counts(attempt: Attempt, status: Status) -> int:
    """1 where the attempt is an answer that its user got, 0 where it is none or was counted before.

    A failed one is none, nor one that was stopped before its first word. One that asks for
    permission is one already, so what follows the permission is not.
    """
    if attempt.asked or status == Status.FAILED:
        return 0
    return int(status != Status.STOPPED or len(attempt.text) > len(attempt.begun))


def _enter(attempt: Attempt, *, messages: int) -> Entry:
    made = spent.entry(attempt.spent, messages=messages, saved=attempt.saved)
    spent.enter(_payer(attempt), attempt.price, made)
    return made


def _payer(attempt: Attempt) -> Payer:
    conversation = attempt.message.conversation
    return Payer(conversation.user_id, conversation.pk, attempt.backend, attempt.model)


def _count_deleted(attempt: Attempt, *, messages: int) -> None:
    """Where its conversation was deleted meanwhile: what it took was taken, and is its user's all the same."""
    reply, user_id = attempt.reply.pk, attempt.context.user_id
    if Reply.objects.filter(pk=reply).exists():
        return
    attempt.deleted = True
    made = spent.entry(attempt.spent, messages=messages, saved=attempt.saved)
    with suppress(IntegrityError), transaction.atomic():  # the user is gone as well
        spent.enter_of_user(_payer(attempt), attempt.price, made)
    quotas.settle(user_id, reply, made)


def fail(attempt: Attempt) -> bool:
    """Ends an attempt whose figures or text the database refused, with nothing of either."""
    attempt.outcome, attempt.text = dict(INTERNAL), attempt.stored
    attempt.input_tokens = attempt.output_tokens = attempt.cached_tokens = 0
    return end(attempt, Status.FAILED)


def hand_back(attempt: Attempt) -> None:
    """The worker is leaving: the reply waits again, and another worker begins the next attempt."""
    with transaction.atomic():
        mine = Reply.objects.all().write(
            attempt.reply.pk,
            attempt.number,
            status=Status.PENDING,
            pending_since=timezone.now(),
            enqueued_at=None,
            waits_until=None,
        )
        if mine:
            made = _enter(attempt, messages=0)
    if mine:
        quotas.settle(attempt.context.user_id, attempt.reply.pk, made, keep=True)
    else:
        _count_deleted(attempt, messages=0)
    _forget(attempt)


async def forget_pending(attempt: Attempt) -> None:
    """Pages that show it waiting. Off the database's thread, which has better to do as it begins.

    Raises nothing, as what is forgotten on commit: the checkpoints come after it.
    """
    conversation = attempt.message.conversation
    try:
        await conversation_cache.aforget(conversation.user_id, conversation.pk)
    except Exception:
        logger.exception("pages_not_forgotten")


def _forget(attempt: Attempt) -> None:
    conversation = attempt.message.conversation
    conversation_cache.forget(conversation.user_id, conversation.pk)


def _save_text(attempt: Attempt, text: str) -> None:
    Message.objects.filter(pk=attempt.message.pk).update(
        text=text, html=markdown.render(text), renderer=markdown.RENDERER
    )
    attempt.stored = text
