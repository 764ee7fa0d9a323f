"""What `pip install ./performance` asks for is what the app imports, in the versions of the site."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[a-z0-9-]+", re.IGNORECASE)
COMES_WITH_OTHERS = {
    "asgiref",
    "prometheus-client",
    "hiredis",
}  # Django, django-prometheus, redis[hiredis]
OPTIONAL = {"uvloop", "pytest"}  # the worker is quicker with it; for the plugin of pytest


def project(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(path.read_text())["project"]
    return found


def requirements(of: dict[str, Any]) -> list[str]:
    return [*of["dependencies"], *chain(*of["optional-dependencies"].values())]


def imported() -> Iterator[str]:
    for path in (ROOT / "performance").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or ""


def test_the_versions_are_those_of_the_site() -> None:
    app, site = project(ROOT / "performance/pyproject.toml"), project(ROOT / "pyproject.toml")
    assert set(requirements(app)) - set(requirements(site)) == set()
    assert app["version"] == site["version"]
    assert app["requires-python"] == site["requires-python"]


def test_every_package_that_is_imported_is_asked_for() -> None:
    modules = {name.partition(".")[0] for name in imported()} - sys.stdlib_module_names
    installed = packages_distributions()
    wanted = {
        installed[module][0].lower().replace("_", "-")
        for module in modules - {"performance", ""} - OPTIONAL
    }
    app = project(ROOT / "performance/pyproject.toml")
    named = {NAME.match(one)[0].lower() for one in requirements(app)}  # type: ignore[index]
    assert wanted - named - COMES_WITH_OTHERS == set()
