from __future__ import annotations

import dataclasses
from pathlib import Path

from performance import conf
from performance.metrics.definitions import BY_NAME, DEFINITIONS

DOCS = Path(__file__).parents[3] / "docs"


def test_every_metric_is_documented_as_it_is() -> None:
    text = (DOCS / "metrics.md").read_text()
    assert len(BY_NAME) == len(DEFINITIONS)
    for one in DEFINITIONS:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        line = f"| `{one.name}` | {one.kind.name.lower()} | {labels} | {one.help} |"
        assert line in text


def test_every_setting_is_documented() -> None:
    text = (DOCS / "settings.md").read_text()
    for section, kind in (("METRICS", conf.MetricsSettings), ("HEALTH", conf.HealthSettings)):
        for one in dataclasses.fields(kind):
            assert f'| `{section}["{one.name.upper()}"]` |' in text


def test_every_check_is_documented() -> None:
    text = (DOCS / "operations/monitoring.md").read_text()
    for number in range(10, 19):
        assert f"`performance.W{number:03}`" in text
