"""What a site is made of besides its rows: settings, templates, static files, the clock."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import autoreload
from django.test import override_settings
from django.utils import timezone
from django.utils.autoreload import file_changed

from conversations import edition

SCRIPTED = "tests.backends.ScriptedBackend"
OFFERS: list[dict[str, Any]] = [{"models": ["one", "two"]}, {"models": ["one"]}, {"models": ["three", "two"]}]  # fmt: skip
EDITED = {"theme.html": '<form class="theme"', "conversations/messages.html": '<article class="message'}  # fmt: skip


class Site:
    """Can be changed as operators change it; `close` takes everything back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._stack = ExitStack()
        self._clock: Any = None
        own = settings.TEMPLATES[0]
        self._sources = Path(own["DIRS"][0])
        self.set(TEMPLATES=[{**own, "DIRS": [folder, *own["DIRS"]]}])
        self.offer(0)

    def set(self, **values: Any) -> None:
        self._stack.enter_context(override_settings(**values))

    def offer(self, pick: int) -> None:
        options = OFFERS[pick % len(OFFERS)]
        self.set(CHAT_BACKENDS={"default": {"BACKEND": SCRIPTED, "OPTIONS": options}})

    def deploy(self) -> None:
        """Other templates, and processes that start with them."""
        self._write_templates()
        self._start_anew()

    def edit_a_template(self) -> None:
        """Under `runserver`, which tells of it."""
        for file in self._write_templates():
            file_changed.send(sender=None, file_path=file, kind=None)

    def deploy_static_files(self) -> None:
        number = next(self._numbers)
        storage: Any = staticfiles_storage
        storage.manifest_hash = str(number)
        storage.url = lambda name: f"/static/{number}/{name}"
        self._start_anew()

    def pass_time(self, time: timedelta) -> None:
        if self._clock is None:
            self._clock = time_machine.travel(timezone.now(), tick=True)
            self._stack.callback(self._clock.stop)
            self._traveller = self._clock.start()
        self._traveller.shift(time)

    def _write_templates(self) -> list[Path]:
        number = next(self._numbers)
        for name, start in EDITED.items():
            file = self._folder / name
            file.parent.mkdir(exist_ok=True)
            text = (self._sources / name).read_text()
            assert start in text
            file.write_text(text.replace(start, start.replace("class", f'data-edition="{number}" class')))  # fmt: skip
        return [self._folder / name for name in EDITED]

    def _start_anew(self) -> None:
        autoreload.reset_loaders()
        edition.release.cache_clear()

    def close(self) -> None:
        self._stack.close()
        storage: Any = staticfiles_storage._wrapped
        for name in ("manifest_hash", "url"):
            vars(storage).pop(name, None)
        for name in EDITED:
            (self._folder / name).unlink(missing_ok=True)
        self._start_anew()
