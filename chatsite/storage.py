"""Where files lie: static ones under names that hold their hash, attached ones out of everybody's reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from chatsite import env

FILES = "django.core.files.storage.FileSystemStorage"


def attachment_storage(data_dir: Path) -> dict[str, Any]:
    """The entry of STORAGES: a directory of this machine, or what ATTACHMENT_STORAGE names.

    Raises ImproperlyConfigured where the options are no JSON object.
    """
    backend = env.text("ATTACHMENT_STORAGE", FILES)
    try:
        options = json.loads(env.secret("ATTACHMENT_STORAGE_OPTIONS", "{}"))
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise ImproperlyConfigured(
            'ATTACHMENT_STORAGE_OPTIONS must be a JSON object, such as {"bucket_name": "chat"}.'
        )
    if backend == FILES:
        private = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
        options = {"location": str(data_dir / "attachments"), **private, **options}
    return {"BACKEND": backend, "OPTIONS": options}
