"""What the documentation says is so."""

from __future__ import annotations

import dataclasses
import re
import runpy
import sys
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conversations import tools
from conversations.tools.base import registry
from performance.alerts.defaults import DEFAULTS
from performance.conf import PerformanceSettings

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)")
CHECK = re.compile(r"\b(?:chatsite|conversations|performance)\.[EWI]\d{3}\b")
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" in target or target.startswith(("mailto:", "/")):
            continue
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = re.findall(
            r"(?:^    |`)[A-Z_=:/\w. ]*\bmake ([a-z]+)", page.read_text(), re.MULTILINE
        )
        assert set(named) <= targets, page


def test_every_setting_is_documented() -> None:
    source = "".join(path.read_text() for path in (ROOT / "chatsite").rglob("*.py"))
    read = set(
        re.findall(
            r"env\.(?:text|secret|flag|number|ratio|words|hosts|origins|address|command|choice|prices|price_list|currency)\(\s*\"([A-Z_]+)\"",
            source,
        )
    )
    documented = set(
        re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    )

    assert read - documented == set()
    assert documented - read == {"HOST", "PYTHON"}


def test_every_system_check_is_documented() -> None:
    packages = ("chatsite", "conversations", "performance")
    sources = (path.read_text() for name in packages for path in (ROOT / name).rglob("*.py"))
    known = {check for text in sources for check in CHECK.findall(text)}
    documented = {
        check for page in (ROOT / "docs").rglob("*.md") for check in CHECK.findall(page.read_text())
    }

    assert len(known) > 20
    assert known - documented == set()


def tutorial_code() -> list[str]:
    return CODE.findall((ROOT / "docs/tutorial.md").read_text())


def test_the_tutorials_tool_passes_the_tutorials_test(tmp_path: Path) -> None:
    tool_code, test_code = tutorial_code()
    tools.specs()
    before = dict(registry)
    try:
        _load(tmp_path / "dice.py", tool_code, "conversations.tools.dice")
        (tmp_path / "test_dice.py").write_text(test_code)
        tests = runpy.run_path(str(tmp_path / "test_dice.py"))
        names = [name for name in tests if name.startswith("test_")]
        assert len(names) == 2
        for name in names:
            tests[name]()
    finally:
        registry.clear()
        registry.update(before)
        sys.modules.pop("conversations.tools.dice", None)


def _load(path: Path, code: str, name: str) -> ModuleType:
    path.write_text(code)
    spec = util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_no_index_of_packages_is_named() -> None:
    hosts = ["py" + "pi.org", "python" + "hosted", "npm" + "js.org", "deb" + "ian.org"]
    for path in [*PAGES, *(ROOT / "requirements").iterdir(), ROOT / "Makefile", ROOT / ".ci/run"]:
        text = path.read_text()
        assert not [host for host in hosts if host in text], path


def test_every_shipped_rule_has_a_runbook_and_every_runbook_its_rule() -> None:
    directory = ROOT / "docs/operations/runbooks"
    overview = (ROOT / "docs/operations/alerts.md").read_text()

    assert {page.stem for page in directory.glob("*.md")} == {rule.name for rule in DEFAULTS}
    for rule in DEFAULTS:
        page = (directory / f"{rule.name}.md").read_text()
        assert page.startswith(f"# {rule.title}\n"), rule.name
        assert "\n## Look\n" in page, rule.name
        assert "\n## Do\n" in page, rule.name
        assert f"(runbooks/{rule.name}.md)" in overview


@pytest.mark.parametrize("section", dataclasses.fields(PerformanceSettings), ids=lambda f: f.name)
def test_every_key_of_performance_is_documented(section: dataclasses.Field[Any]) -> None:
    name = section.name.upper()
    documented = re.findall(
        rf'^\| `{name}\["(\w+)"\]`', (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    keys = dataclasses.fields(getattr(PerformanceSettings(), section.name))

    assert [key.name.upper() for key in keys] == documented
