from __future__ import annotations

import re

import pytest
from django.utils.text import slugify

from conversations.help import FOLDER, ORDER, HelpPage, help_page, help_pages, help_passages

PASSAGES = {passage.url for passage in help_passages()}


def test_every_file_is_a_page() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(ORDER)
    assert len(help_pages()) == len(ORDER)


@pytest.mark.parametrize("page", help_pages(), ids=lambda page: page.slug)
def test_page(page: HelpPage) -> None:
    assert page.title
    assert page.introduction
    for passage in page.passages:
        assert passage.text
        assert "<!--" not in passage.text
        assert len(passage.questions) >= 3
        assert passage.anchor == slugify(passage.title)


def test_urls_differ() -> None:
    assert len(PASSAGES) == len(help_passages())


def test_links_between_help_pages_lead_somewhere() -> None:
    pages = {page.url for page in help_pages()}
    for passage in help_passages():
        for link in re.findall(r"\]\((/help/[^)]*)\)", passage.text):
            assert link in pages | PASSAGES, passage.url


def test_unknown_page() -> None:
    assert help_page("first-steps") is help_pages()[0]
    assert help_page("../settings") is None
