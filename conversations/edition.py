"""What a page is made of besides its content: templates, code, translations, file names, place, choices.

What is kept rendered is kept under this name, so that another release never shows an older one's pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.dispatch import receiver
from django.template import engines
from django.utils.autoreload import file_changed
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language

from conversations.ai import offers
from conversations.help import FOLDER

PACKAGE = Path(__file__).parent


def name() -> str:
    """The same for two requests whose pages differ by content and reader alone."""
    choices = f"{offers.digest()}.{settings.TEMPORARY_HOURS}"
    return f"{release()}.{get_language()}.{get_current_timezone_name()}.{choices}"


@cache
def release() -> str:
    """The same in every process that runs the same templates, code, translations and static files."""
    names = [*_versions(), getattr(staticfiles_storage, "manifest_hash", "")]
    made_of = blake2b(":".join(names).encode(), digest_size=6)
    for file in _files():
        made_of.update(f"{file.name}:{file.stat().st_size}:".encode())
        made_of.update(file.read_bytes())
    return made_of.hexdigest()


def _versions() -> list[str]:
    """Of the packages that the apps come from: a form of theirs may stand on a page."""
    packages = sorted({app.name.partition(".")[0] for app in apps.get_app_configs()})
    return [f"{name} {getattr(import_module(name), '__version__', '')}" for name in packages]


def _files() -> Iterator[Path]:
    engine: Any = engines["django"]
    for folder in (*engine.engine.dirs, PACKAGE):
        yield from sorted(Path(folder).rglob("*.html"))
    for folder in sorted(_packages()):
        yield from sorted(folder.rglob("*.py"))
    yield from sorted(FOLDER.rglob("*.md"))
    for folder in settings.LOCALE_PATHS:
        yield from sorted(Path(folder).rglob("*.mo"))


def _packages() -> set[Path]:
    """This one, and the apps beside it: they choose language and zone, and know how each writes a date."""
    beside = [Path(app.path) for app in apps.get_app_configs()]
    return {PACKAGE, *(path for path in beside if path.parent == PACKAGE.parent)}


@receiver(file_changed)
def forget(**_kwargs: Any) -> None:
    """Under `runserver` a template that was edited is loaded anew without a restart."""
    release.cache_clear()
