"""A stored file into pages of text, or into a picture without what cameras hide in them.

The parsers run in a process of its own, with bounds on time, memory and output that the kernel keeps, and
with an empty environment: a file that takes it over finds no key and no database there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import msgspec
import structlog
from django.core.files.base import File
from django.db import transaction

from conversations.attachments.limits import Limits, limits
from conversations.attachments.problems import Refused
from conversations.models import Attachment, AttachmentPage, ReadingState
from performance.cache import conversation_cache

logger = structlog.get_logger(__name__)

READER = Path(__file__).with_name("reader.py")
CHUNK = 2**16
TRIES = 3
SCANNED_CLEAN, SCANNED_INFECTED = 0, 1


def read(pk: UUID) -> Attachment | None:
    """Reads the file, unless somebody else does or has. Returns it as it stands then.

    None where it was deleted meanwhile: nothing of it is kept.
    """
    bounds = limits()
    if not Attachment.objects.claim(pk, bounds.patience):
        return None
    try:
        attachment = Attachment.objects.get(pk=pk)
        if attachment.conversation_id is not None:  # its page says that it is being read
            conversation_cache.forget(attachment.user_id, attachment.conversation_id)
        _read(attachment, bounds)
    except Attachment.DoesNotExist:
        return None
    return attachment


def _read(attachment: Attachment, bounds: Limits) -> None:
    try:
        _refuse_after(attachment.tries)
        with _copy(attachment) as file:
            _scan(file, bounds)
            _take(attachment, file, bounds)
    except Refused as refused:
        logger.info("attachment_unreadable", attachment=str(attachment.pk), problem=refused.code)
        _fail(attachment, refused.code)
    except FileNotFoundError:
        _fail(attachment, "lost")


def _hold(attachment: Attachment) -> None:
    """Until the transaction ends nobody deletes it. Raises Attachment.DoesNotExist where somebody has."""
    Attachment.objects.select_for_update().only("pk").get(pk=attachment.pk)


def _refuse_after(tries: int) -> None:
    """A file at which several workers died is not tried again."""
    if tries > TRIES:
        raise Refused("too_complex")


def _copy(attachment: Attachment) -> IO[bytes]:
    """A file of this machine, wherever the stored one is; closed, it is gone."""
    with attachment.file.open("rb") as stored:
        copy = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        for chunk in stored.chunks(CHUNK):
            copy.write(chunk)
    copy.seek(0)
    return copy


def _scan(file: IO[bytes], bounds: Limits) -> None:
    """Lets the operator's scanner look first: exit status 0 is clean, 1 is not."""
    if not bounds.scanner:
        return
    try:
        done = subprocess.run(  # noqa: S603  # the operator's own command
            bounds.scanner, stdin=file, capture_output=True, timeout=bounds.seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.error("scanner_failed", error=type(error).__name__)  # noqa: TRY400  # no trace of data
        raise Refused("scanner") from None
    if done.returncode == SCANNED_INFECTED:
        raise Refused("infected")
    if done.returncode != SCANNED_CLEAN:
        logger.error("scanner_failed", status=done.returncode)
        raise Refused("scanner")
    file.seek(0)


def _take(attachment: Attachment, file: IO[bytes], bounds: Limits) -> None:
    with tempfile.TemporaryFile() as result:
        _run_reader(attachment.kind, file, result, bounds)
        result.seek(0)
        head: dict[str, Any] = msgspec.json.decode(result.readline() or b'{"problem":"damaged"}')
        if problem := head.get("problem"):
            raise Refused(problem)
        if attachment.is_image:
            _replace(attachment, result, head)
        else:
            _keep(attachment, (msgspec.json.decode(line) for line in result), head)


def _run_reader(kind: str, file: IO[bytes], result: IO[bytes], bounds: Limits) -> None:
    names = ("memory_mb", "seconds", "pages", "characters", "pixels", "edge")
    given = msgspec.json.encode({name: getattr(bounds, name) for name in names}).decode()
    command = [sys.executable, "-I", str(READER), kind, given]
    try:
        done = subprocess.run(  # noqa: S603  # our own file
            command,
            stdin=file,
            stdout=result,
            stderr=subprocess.DEVNULL,  # a parser's complaints quote the file
            timeout=2 * bounds.seconds,  # of the clock; CPU time is the kernel's to keep
            env={},
            close_fds=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused("too_slow") from None
    if done.returncode:
        # A negative number is the signal: out of CPU time, or out of the output's size.
        raise Refused("too_slow" if done.returncode < 0 else "too_complex")


def _keep(attachment: Attachment, pages: Iterable[tuple[int, str]], head: dict[str, Any]) -> None:
    rows = [
        AttachmentPage(attachment=attachment, number=number, first_line=first, text=text)
        for number, (first, text) in enumerate(pages, 1)
    ]
    with transaction.atomic():
        _hold(attachment)
        attachment.pages.all().delete()
        AttachmentPage.objects.bulk_create(rows, batch_size=200)
        attachment.end(
            ReadingState.READY,
            page_count=head["page_count"],
            is_cut=head["is_cut"],
            text_size=sum(len(row.text.encode()) for row in rows),
            problem="",
        )


def _replace(attachment: Attachment, picture: IO[bytes], head: dict[str, Any]) -> None:
    """The new picture in place of what was sent, which is deleted."""
    old = str(attachment.file.name)
    start = picture.tell()
    size = picture.seek(0, 2) - start
    picture.seek(start)
    new = tempfile.TemporaryFile()  # noqa: SIM115  # closed below; File wants one that begins at 0
    with new:
        while chunk := picture.read(CHUNK):
            new.write(chunk)
        new.seek(0)
        with transaction.atomic():
            _hold(
                attachment
            )  # before it is stored: what nobody owns any more would lie there for days
            attachment.file.save("", File(new, name="picture"), save=False)
            attachment.end(
                ReadingState.READY,
                file=attachment.file,
                size=size,
                media_type=head["media_type"],
                problem="",
            )
    attachment.file.storage.delete(old)


def _fail(attachment: Attachment, problem: str) -> None:
    """Text and PDF that cannot be read can still be taken back; what may do harm is deleted."""
    with transaction.atomic():
        _hold(attachment)
        if attachment.is_image or problem == "infected":
            attachment.file.delete(save=False)
        attachment.end(ReadingState.FAILED, problem=problem, file=attachment.file)
