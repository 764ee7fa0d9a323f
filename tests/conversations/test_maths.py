from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import maths
from conversations.markdown import closed_until, render

X = '<math display="inline" alttext="x"><mrow><mi>x</mi></mrow></math>'


@pytest.mark.parametrize("text", ["$x$", r"\(x\)"])
def test_a_formula_in_a_line(text: str) -> None:
    assert render(f"so {text}.") == f"<p>so {X}.</p>\n"


@pytest.mark.parametrize("text", ["$$x$$", r"\[x\]", "$$\nx\n$$", "\\[\n\nx\n\\]"])
def test_a_formula_that_stands_alone(text: str) -> None:
    html = render(f"{text}\n\nafter")
    assert 'display="block"' in html
    assert "<mi>x</mi>" in html
    assert "<p>after</p>" in html


@pytest.mark.parametrize(
    "text",
    ["It costs $5 or $10.", "$5-$10", "a $ b $ c", r"\$x$", "`$x$`", "$ x$", "$$ $$", "$"],
)
def test_prices_and_code_are_no_formulas(text: str) -> None:
    assert "<math" not in render(text)


@pytest.mark.parametrize("latex", [r"\frac", "{" * 900, "x" * 1001, r"\begin{matrix}"])
def test_what_is_no_formula_is_shown_as_it_is(latex: str) -> None:
    assert maths.mathml(latex, block=False) == f"<code>{latex}</code>"


def test_of_too_many_formulas_the_rest_stays_text() -> None:
    assert render("$x$ " * (maths.MOST + 5)).count("<math") == maths.MOST


@pytest.mark.parametrize(
    "attack",
    [
        r"$\text{<img src=x onerror=alert(1)>}$",
        r"$\href{javascript:alert(1)}{x}$",
        r"$\style{position:fixed}{x}$",
        r"$\class{icon}{x}$",
        r"$\text{</math><script>alert(1)</script>}$",
        '[$\\text{" onclick="alert(1)}$](/a "$x$")',
    ],
)
def test_a_formula_brings_nothing_along(attack: str) -> None:
    seen = Seen()
    seen.feed(render(attack))
    assert seen.tags <= {*maths.TAGS, "p", "a"}
    assert seen.attributes <= {*maths.ATTRIBUTES, "alttext", "href", "title", "rel"}
    assert not any("javascript" in address for address in seen.addresses)


class Seen(HTMLParser):
    """What a browser makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name == "href"]


def test_the_word_that_stands_for_a_formula_cannot_be_typed() -> None:
    html = render('[a](/b "&#xE000;0.") 0. $x$')
    assert html.count("<math") == 1


PARTS = st.sampled_from(
    [
        *"{}^_x1&#%'$<>\"[]",
        r"\frac",
        r"\text{",
        r"\left(",
        r"\right)",
        r"\begin{matrix}",
        r"\href",
        r"\\",
        r"\operatorname",
        "\n",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS, max_size=14).map("".join))
def test_no_formula_fails_or_opens_other_tags(latex: str) -> None:
    html = maths.mathml(latex, block=True)
    names = set(re.findall(r"</?([a-z]+)", html))
    assert names <= maths.TAGS | {"code"}
    assert html.count("<math") == html.count("</math>")


def test_a_formula_over_several_lines_closes_like_a_block() -> None:
    assert closed_until("one\n\n$$\nx\n\ny") == len("one\n\n")
    assert closed_until("one\n\n$$\nx\n$$\n\ntwo") == len("one\n\n$$\nx\n$$\n\n")
