"""Each verification and benchmark can be begun as its words say: by nothing but its name."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import tests.benchmarks
import tests.verification

ROOT = Path(__file__).parents[2]
IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


def test_all_are_imported_without_settings() -> None:
    names = [
        module.name
        for package in (tests.verification, tests.benchmarks)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
        if not module.name.rpartition(".")[2].startswith(("test_", "__"))
        and not module.name.endswith(("_settings", "advice_cases", "advice_peers"))
    ]
    assert len(names) > 40
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *names],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
