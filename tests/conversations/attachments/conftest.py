from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from conversations import attachments
from conversations.models import Attachment
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def stored(tmp_path: Path) -> Iterator[Path]:
    """The folder of the files, empty before."""
    storage: Any = storages["attachments"]
    before = storage._location
    storage._location = str(tmp_path)
    storage.__dict__.pop("base_location", None)
    storage.__dict__.pop("location", None)
    yield tmp_path
    storage._location = before
    storage.__dict__.pop("base_location", None)
    storage.__dict__.pop("location", None)


@pytest.fixture
def attach(db: None) -> Callable[..., Attachment]:
    """Stores a file of Alice's, and reads it unless told not to."""

    def store(data: bytes, name: str = "notes.txt", user: Any = None, *, read: bool = True) -> Any:
        user = user or UserFactory()
        attachment = attachments.store(user, SimpleUploadedFile(name, data))
        return attachments.read(attachment.pk) if read else attachment

    return store


@pytest.fixture
def bounds() -> Iterator[Callable[..., None]]:
    """Sets ATTACHMENTS anew: `bounds(pages=3)`."""
    active: list[Any] = []

    def change(**limits: Any) -> None:
        override = override_settings(
            ATTACHMENTS={key.upper(): value for key, value in limits.items()}
        )
        override.enable()
        active.append(override)

    yield change
    for override in reversed(active):
        override.disable()
