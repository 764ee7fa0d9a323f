"""Citations in answers as links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import markdown
from conversations.citations import citation


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("[report.pdf, p. 3, l. 12]", "file=report.pdf&amp;page=3&amp;line=12"),
        ("[report.pdf, p.3]", "file=report.pdf&amp;page=3"),
        ("[notes.txt, l. 7-9]", "file=notes.txt&amp;line=7"),
        ("[a, b & c (2).csv, l. 1]", "file=a%2C+b+%26+c+%282%29.csv&amp;line=1"),
    ],
)
def test_a_citation_is_a_link(text: str, query: str) -> None:
    html = markdown.render(f"So it says {text}.")
    shown = text.replace("&", "&amp;")
    assert f'<a href="cited/?{query}" rel="nofollow noopener noreferrer">{shown}</a>.' in html


@pytest.mark.parametrize(
    "text",
    ["[report.pdf]", "[see p. 3]", "`[a.txt, l. 1]`", "[x, l. 1]", "[a.txt, l. 1", "[a.txt, l. x]"],
)
def test_what_is_none_is_none(text: str) -> None:
    assert "cited/" not in markdown.render(text)


def test_a_link_of_ones_own_stays_one() -> None:
    html = markdown.render("[a.txt, l. 1](https://example.org/)")
    assert 'href="https://example.org/"' in html


@given(
    st.from_regex(r"[\w ()-]{1,40}\.[a-z]{1,4}", fullmatch=True),
    st.integers(1, 9999),
)
def test_what_we_write_is_read(name: str, line: int) -> None:
    assert "cited/?" in markdown.render(f"x {citation(name, None, line)}")
    assert "cited/?" in markdown.render(f"x {citation(name, 3, line)}")
