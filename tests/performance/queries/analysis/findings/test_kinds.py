"""Every kind has its file and its test."""

from __future__ import annotations

from pathlib import Path

from performance.queries.analysis import findings


def test_every_kind_has_a_mirrored_test() -> None:
    tests = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}

    assert set(findings.kinds()) <= tests


def test_every_kind_is_documented() -> None:
    page = Path(__file__).parents[5] / "docs/query-analysis.md"

    assert [kind for kind in findings.kinds() if f"`{kind}`" not in page.read_text()] == []
