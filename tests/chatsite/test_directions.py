"""The style sheets know beginning and end, so that every page can go from right to left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SHEETS = sorted(Path("conversations/static/conversations").absolute().glob("*.css"))
SIDES = re.compile(
    r"(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)\b"
    r"|(?<![-\w])(?:left|right)\s*:"
    r"|(?:text-align|float|clear):\s*(?:left|right)\b"
    r"|border-(?:top|bottom)-(?:left|right)-radius"
    # Four values go round clockwise, whatever the direction: the second and fourth must not differ.
    r"|(?:margin|padding|inset): [^\s;()]+ ([^\s;()]+) [^\s;()]+ (?!\1;)[^\s;()]+;"
)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_a_style_sheet_names_no_sides(sheet: Path) -> None:
    found = [match[0] for match in SIDES.finditer(sheet.read_text())]
    assert found == []


def test_sides_are_found() -> None:
    assert SIDES.search("a { margin-left: 1rem; }")
    assert SIDES.search("a { padding: 1px 2px 3px 4px; }")
    assert not SIDES.search("a { padding: 1px 2px 3px 2px; margin-inline-start: 0; }")
