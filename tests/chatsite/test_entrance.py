"""Pages of those who are not signed in: rendered once, and still each visitor's own where they differ."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from conversations import prepared
from tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
URLS = ["/accounts/login/", "/accounts/signup/"]
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


def text(client: Client, url: str, **headers: str) -> str:
    return client.get(url, headers=headers).content.decode()


@pytest.mark.parametrize("url", URLS)
def test_it_is_rendered_once_for_all(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = text(Client(), url)
    with monkeypatch.context() as patch:
        patch.setattr(prepared, "render_to_string", lambda *_: pytest.fail("again"))
        again = Client().get(url)
    assert TOKEN.sub("", first) == TOKEN.sub("", again.content.decode())
    assert "no-store" in again["Cache-Control"]
    assert {"Cookie", "Accept-Language", "Accept-Encoding"} <= set(again["Vary"].split(", "))


def test_its_form_signs_in_with_the_token_of_the_browser_that_asks() -> None:
    UserFactory(username="alice")
    text(Client(), "/accounts/login/")
    alice, other = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    text(other, "/accounts/login/")
    (token,) = TOKEN.findall(text(alice, "/accounts/login/"))
    form = {"login": "alice", "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert other.post("/accounts/login/", form).status_code == 403
    assert alice.post("/accounts/login/", form)["Location"] == "/"


@pytest.mark.parametrize("url", URLS)
def test_where_to_go_then_is_this_visitors(url: str) -> None:
    assert 'value="/search/"' in text(Client(), f"{url}?next=/search/")
    assert "/search/" not in text(Client(), url)


def test_what_was_typed_is_this_visitors() -> None:
    refused = Client().post("/accounts/login/", {"login": "alice", "password": "wrong"})
    assert b'value="alice"' in refused.content
    assert "alice" not in text(Client(), "/accounts/login/")


def test_what_its_session_holds_is_this_visitors() -> None:
    """allauth fills an address in that was confirmed before there is an account."""
    client = Client()
    session = client.session
    session["account_verified_email"] = "alice@example.com"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    assert 'value="alice@example.com"' in text(client, "/accounts/signup/")
    assert "alice@" not in text(Client(), "/accounts/signup/")


def test_it_is_in_the_language_of_the_browser() -> None:
    assert 'lang="en"' in text(Client(), "/accounts/login/")
    assert 'lang="de"' in text(Client(), "/accounts/login/", **{"Accept-Language": "de"})


@pytest.mark.parametrize("url", URLS)
def test_who_is_signed_in_is_sent_on(url: str) -> None:
    text(Client(), url)
    client = Client()
    client.force_login(UserFactory())
    assert client.get(url)["Location"] == "/"
