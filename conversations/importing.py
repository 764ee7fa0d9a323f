"""An import of ChatGPT's export as a job: one conversation at a time, with its progress for the page."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from typing import IO, Any

import msgspec
import structlog
from django.utils import timezone

from conversations import chatgpt
from conversations.chatgpt import Outcome, Unreadable
from conversations.models import Import, ImportState
from conversations.models.imports import TRIES
from performance.cache import conversation_cache

logger = structlog.get_logger(__name__)

PROGRESS = 1.0  # seconds between two notes of it
REPORTED = 1000  # conversations that the report names


def read(pk: int) -> None:
    """Reads it, unless somebody else does or has. Twice makes no doubles."""
    if not Import.objects.claim(pk):
        return
    found = Import.objects.select_related("user").get(pk=pk)
    try:
        if found.tries > TRIES:
            _end(found, ImportState.FAILED, problem="internal")
            return
        with found.file.open("rb") as stored, tempfile.TemporaryFile() as copy:
            for chunk in stored.chunks(2**16):
                copy.write(chunk)
            _take_all(found, copy)
    except Unreadable as error:
        _end(found, ImportState.FAILED, problem=error.code)
    except FileNotFoundError:
        _end(found, ImportState.FAILED, problem="damaged")
    conversation_cache.forget(found.user_id)


def _take_all(found: Import, file: IO[bytes]) -> None:
    found.total = chatgpt.count(file)
    figures: Counter[str] = Counter()
    report: list[dict[str, Any]] = []
    noted = 0.0
    for number, one in enumerate(chatgpt.conversations(file), 1):
        outcome = (
            Outcome("", problem=one) if isinstance(one, str) else chatgpt.take(found.user, one)
        )
        _count(figures, outcome)
        if (outcome.left or outcome.problem) and len(report) < REPORTED:
            report.append({"number": number, **msgspec.to_builtins(outcome)})
        if time.monotonic() - noted > PROGRESS:
            noted = time.monotonic()
            _note(found, seen=number, total=found.total, state_at=timezone.now(), **figures)
    _end(found, ImportState.DONE, seen=found.total, total=found.total, report=report, **figures)


def _count(figures: Counter[str], outcome: Outcome) -> None:
    kind = "refused" if outcome.problem else "already" if outcome.already else "taken"
    figures[kind] += 1
    figures["message_count"] += outcome.messages


def _note(found: Import, **changes: Any) -> None:
    Import.objects.filter(pk=found.pk).update(**changes)


def _end(found: Import, state: ImportState, **changes: Any) -> None:
    _note(found, state=state, state_at=timezone.now(), **changes)
    logger.info(
        "import_ended", number=found.pk, state=str(state), problem=changes.get("problem", "")
    )
    now = Import.objects.filter(pk=found.pk).first()  # none where the account was closed meanwhile
    if now is not None and now.file:
        now.file.delete()
