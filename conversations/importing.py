"""An import as a job, of an export of this site or of ChatGPT's: one conversation at a time, with its progress for the page."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import msgspec
import structlog
from django.conf import settings
from django.utils import timezone, translation

from conversations import chatgpt, transfer
from conversations.chatgpt import Outcome, Unreadable
from conversations.models import Attachment, Import, ImportState
from conversations.models.imports import TRIES
from performance.cache import conversation_cache

type OnFile = Callable[[Attachment], object]

logger = structlog.get_logger(__name__)

HEAD = 64  # bytes that tell whose export it is
PROGRESS = 1.0  # seconds between two notes of it
REPORTED = 1000  # conversations that the report names


def read(pk: int, on_file: OnFile) -> None:
    """Reads it, unless somebody else does or has. Twice makes no doubles.

    `on_file` is called with each attached file that it stores, and has it read.
    """
    if not Import.objects.claim(pk):
        return
    found = Import.objects.select_related("user").get(pk=pk)
    try:
        if found.tries > TRIES:
            _end(found, ImportState.FAILED, problem="internal")
            return
        with translation.override(found.language or settings.LANGUAGE_CODE), _copied(found) as file:
            _take_all(found, *_outcomes(found, file, on_file))
    except Unreadable as error:
        _end(found, ImportState.FAILED, problem=error.code)
    except transfer.Refused as error:
        _end(found, ImportState.FAILED, problem="refused", words=str(error).replace("\0", " "))
    except FileNotFoundError:
        _end(found, ImportState.FAILED, problem="damaged")
    conversation_cache.forget(found.user_id)


@contextmanager
def _copied(found: Import) -> Iterator[IO[bytes]]:
    """In a file of this machine: a storage may be far away, and a zip is read to and fro."""
    with found.file.open("rb") as stored, tempfile.TemporaryFile() as copy:
        for chunk in stored.chunks(2**16):
            copy.write(chunk)
        copy.seek(0)
        yield copy


def _outcomes(found: Import, file: IO[bytes], on_file: OnFile) -> tuple[int, Iterator[Outcome]]:
    """How many conversations the file has, and what becomes of one after the other."""
    if not chatgpt.is_export(file.read(HEAD)):
        file.seek(0)
        whole = transfer.read(file.read(transfer.MOST_BYTES))
        if whole.preferences is not None:
            _note(found, preferences=_without_nul(msgspec.structs.asdict(whole.preferences)))
        rows = whole.conversations
        return len(rows), (transfer.take(found.user, row, on_file) for row in rows)
    return chatgpt.count(file), (
        Outcome("", problem=one) if isinstance(one, str) else chatgpt.take(found.user, one)
        for one in chatgpt.conversations(file)
    )


def _without_nul(values: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL's JSON cannot hold it."""
    return {
        name: value.replace("\0", " ") if isinstance(value, str) else value
        for name, value in values.items()
    }


def _take_all(found: Import, total: int, outcomes: Iterator[Outcome]) -> None:
    figures: Counter[str] = Counter()
    report: list[dict[str, Any]] = []
    noted = 0.0
    for number, outcome in enumerate(outcomes, 1):
        _count(figures, outcome)
        if (outcome.left or outcome.problem) and len(report) < REPORTED:
            report.append({"number": number, **msgspec.to_builtins(outcome)})
        if time.monotonic() - noted > PROGRESS:
            noted = time.monotonic()
            _note(found, seen=number, total=total, state_at=timezone.now(), **figures)
    _end(found, ImportState.DONE, seen=total, total=total, report=report, **figures)


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
