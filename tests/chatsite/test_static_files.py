from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command


def test_scripts_import_each_other_by_hashed_names(settings: Any, tmp_path: Path) -> None:
    hashed = {"BACKEND": "chatsite.static_files.HashedStaticFiles"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
    settings.STATIC_ROOT = tmp_path
    settings.WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["css", "js", "map", "svg", "txt"]  # seconds

    call_command("collectstatic", interactive=False, verbosity=0)

    (script,) = (tmp_path / "conversations").glob("stream.????????????.js")
    (imported,) = (tmp_path / "conversations").glob("answer.????????????.js")
    assert f'from "./{imported.name}"' in script.read_text()
