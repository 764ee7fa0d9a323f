from __future__ import annotations

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
URL = "/settings/keyboard/"


def test_a_visitor_reads_the_keys_without_scripts(client: Client) -> None:
    page = client.get(URL).text
    assert "Begin a new conversation" in page
    assert "<kbd>?</kbd>" in page
    assert "<html" in page


def test_the_pages_script_gets_a_dialog(client: Client) -> None:
    part = client.get(URL, headers={"HX-Request": "true"}).text
    assert part.strip().startswith("<dialog")
    assert "<kbd>?</kbd>" in part


def test_they_are_turned_off_and_on_in_this_browser(client: Client) -> None:
    assert client.post(URL).status_code == 303
    assert client.cookies["shortcuts"].value == "off"
    assert 'type="checkbox" checked' not in client.get(URL).text
    client.post(URL, {"on": "on"})
    assert client.cookies["shortcuts"].value == ""
    assert 'type="checkbox" checked' in client.get(URL).text


def test_they_are_named_in_the_language_of_the_page(client: Client) -> None:
    page = client.get(URL, headers={"accept-language": "de"}).text
    assert "<kbd>Eingabe</kbd>" in page
