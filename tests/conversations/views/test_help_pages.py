from __future__ import annotations

import pytest
from django.test import Client

from conversations.help import help_pages


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
