"""What `pip install ./performance` asks for is what the app imports, in the versions of the site; it brings all of the app."""

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
from zipfile import ZipFile

from hatchling.builders.wheel import WheelBuilder

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


def test_the_wheel_holds_the_app_under_its_own_name(tmp_path: Path) -> None:
    """Each file once, by the path that Python looks for: as `performance/./apps.py` an importer of zips finds none."""
    built = next(WheelBuilder(str(ROOT / "performance")).build(directory=str(tmp_path)))
    with ZipFile(built) as wheel:
        held = [name for name in wheel.namelist() if ".dist-info/" not in name]
        licenses = [name for name in wheel.namelist() if name.endswith("licenses/LICENSE")]
        assert wheel.read(licenses[0]) == (ROOT / "LICENSE").read_bytes()
    app = [path for path in (ROOT / "performance").rglob("*") if path.is_file()]
    wanted = [str(path.relative_to(ROOT)) for path in app if path.parent.name != "__pycache__"]
    assert sorted(held) == sorted({*wanted} - {"performance/pyproject.toml"})
    assert "performance/py.typed" in held
