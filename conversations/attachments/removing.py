"""Stored files go when their rows have gone for good, and not before."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import structlog
from django.core.files.storage import Storage
from django.db import transaction
from django.utils import timezone

from conversations.models import Attachment, Import
from conversations.models.attachments import attachment_storage

logger = structlog.get_logger(__name__)

BATCH = 500


def remove_file(attachment: Attachment | Import) -> None:
    """Once the transaction that deletes its row has committed."""
    if name := attachment.file.name:
        transaction.on_commit(partial(_delete, attachment.file.storage, name))


def _delete(storage: Storage, name: str) -> None:
    try:
        storage.delete(name)
    except OSError as error:  # the sweep over stored files finds it again
        logger.warning("attachment_not_deleted", error=type(error).__name__)


def remove_orphans(after: timedelta) -> int:
    """Removes stored files older than `after` that no row names. Returns how many.

    It goes over all of them, a folder at a time; a storage that cannot list its files is left alone.
    """
    storage = attachment_storage()
    try:
        folders, _files = storage.listdir("")
    except (NotImplementedError, FileNotFoundError):
        return 0
    return sum(_remove_from(storage, folder, after) for folder in folders)


def _remove_from(storage: Storage, folder: str, after: timedelta) -> int:
    names = {f"{folder}/{name}" for name in storage.listdir(folder)[1]}
    named: set[str] = set()
    for model in (Attachment, Import):
        rows = model.objects.filter(file__startswith=f"{folder}/")
        named |= set(rows.values_list("file", flat=True))
    removed = 0
    for name in names - named:
        if storage.get_modified_time(name) < timezone.now() - after:
            _delete(storage, name)
            removed += 1
    return removed
