from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone, translation
from django.utils.autoreload import file_changed

from conversations import edition


@pytest.fixture(autouse=True)
def _anew() -> Any:
    edition.release.cache_clear()
    yield
    edition.release.cache_clear()


def test_language_and_time_zone_have_a_name_each() -> None:
    names = {edition.name()}
    with timezone.override("Asia/Tokyo"):
        names.add(edition.name())
    with translation.override("de"):
        names.add(edition.name())
    assert len(names) == 3


@pytest.mark.parametrize("part", ["page.html", "django.mo"])
def test_another_file_is_another_release(
    part: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = edition.release()
    file = tmp_path / part
    file.write_text("one")
    settings.LOCALE_PATHS = [tmp_path]
    monkeypatch.setattr(edition, "PACKAGE", tmp_path)
    edition.release.cache_clear()
    second = edition.release()
    file.write_text("two")
    assert edition.release() == second, "read once"
    file_changed.send(sender=None, file_path=file, kind=None)
    assert len({first, second, edition.release()}) == 3


@pytest.mark.parametrize(
    "part",
    ["chatsite/formats/de/formats.py", "docs/help/de/privacy.md", "performance/rendering.py"],
)
def test_it_is_of_what_pages_are_made_of(part: str) -> None:
    assert settings.BASE_DIR / part in set(edition._files())


@pytest.mark.parametrize("package", ["django", "allauth"])
def test_another_version_of_a_package_is_another_release(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = edition.release()
    edition.release.cache_clear()
    monkeypatch.setattr(f"{package}.__version__", "99")
    assert edition.release() != first


def test_other_names_of_static_files_are_another_release(monkeypatch: pytest.MonkeyPatch) -> None:
    first = edition.release()
    edition.release.cache_clear()
    monkeypatch.setattr(edition.staticfiles_storage, "manifest_hash", "other", raising=False)
    assert edition.release() != first
