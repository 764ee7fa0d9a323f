from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

from performance.alerts.defaults import DEFAULTS
from performance.management import grafana_board
from performance.management.commands.monitoring_files import files
from performance.metrics.definitions import BY_NAME, DEFINITIONS

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="wants Debian's package prometheus"
)


def _promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_are_what_the_definitions_say(tmp_path: Path) -> None:
    for name, text in files().items():
        assert (DEPLOY / name).read_text() == text, "`make fix` renews it"
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("monitoring_files", directory=tmp_path, check=True, stdout=out)
    assert "rules.yml is out of date" in out.getvalue()
    call_command("monitoring_files", directory=tmp_path, stdout=io.StringIO())
    call_command("monitoring_files", directory=tmp_path, check=True, stdout=io.StringIO())


def test_every_rule_of_ours_is_one_of_prometheuss_with_its_runbook() -> None:
    text = (DEPLOY / "prometheus/rules.yml").read_text()
    assert text.count("- alert:") == len(DEFAULTS) + 1
    for runbook in re.findall(r'runbook: "([^"]+)"', text):
        assert (ROOT / runbook).exists(), runbook


def test_every_metric_has_a_panel() -> None:
    panels = [p for p in grafana_board.board()["panels"] if p["type"] != "row"]
    assert len(panels) == len(DEFINITIONS)
    names = {name for text in grafana_board.expressions() for name in _names(text)}
    assert names == set(BY_NAME)
    places = [tuple(p["gridPos"].values()) for p in grafana_board.board()["panels"]]
    assert len(set(places)) == len(places)


def _names(expression: str) -> list[str]:
    found = re.findall(r"performance_(\w+)", expression)
    return [re.sub(r"_(bucket|total|count)$", "", name) for name in found]


@promtool
def test_promtool_takes_the_rules_and_each_fires_and_is_quiet() -> None:
    _promtool("check", "rules", str(DEPLOY / "prometheus/rules.yml"))
    _promtool("test", "rules", str(DEPLOY / "prometheus/rules_test.yml"))


@promtool
def test_every_panel_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel_{number}", "expr": text.replace("$__rate_interval", "1m")}
        for number, text in enumerate(grafana_board.expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    _promtool("check", "rules", str(file))
