from __future__ import annotations

import re

import pytest
from django.test import Client

from conversations.help import FOLDER, ORDER, help_pages


@pytest.mark.parametrize("slug", [page.slug for page in help_pages()])
def test_everybody_reads_a_page_and_finds_its_passages(db: None, slug: str) -> None:
    text = Client().get(f"/help/{slug}/").content.decode()
    page = next(page for page in help_pages() if page.slug == slug)
    for passage in page.passages:
        assert f'id="{passage.anchor}"' in text


def test_the_list_leads_to_all(db: None) -> None:
    text = Client().get("/help/").content.decode()
    for page in help_pages():
        assert f'href="{page.url}"' in text


def test_a_page_that_is_none_is_not_found(db: None) -> None:
    assert Client().get("/help/nonsense/").status_code == 404


def test_a_page_is_in_the_readers_language_under_the_same_anchors(db: None) -> None:
    text = Client().get("/help/guide/", headers={"accept-language": "de"}).text
    assert "Was der Guide kann" in text
    assert '<article lang="de">' in text
    for passage in help_pages()[ORDER.index("guide")].passages:
        assert f'<section id="{passage.anchor}"' in text


def test_what_is_not_translated_is_in_english(db: None) -> None:
    assert help_pages("ar") == help_pages()


def test_every_section_has_its_german_and_no_other() -> None:
    for english in help_pages():
        german = (FOLDER / "de" / f"{english.slug}.md").read_text()
        anchors = re.findall(r"^## .* {(.*)}$", german, re.MULTILINE)
        assert anchors == [passage.anchor for passage in english.passages], english.slug
