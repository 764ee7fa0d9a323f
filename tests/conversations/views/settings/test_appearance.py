from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Preferences
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
URL = "/settings/appearance/"


@pytest.fixture
def alice() -> User:
    made: User = UserFactory(username="alice")
    return made


@pytest.fixture
def signed_in(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def html_tag(client: Client, url: str = "/") -> str:
    return client.get(url).content.decode().split("<head>")[0]


def test_a_choice_is_the_users_on_every_device(signed_in: Client, alice: User) -> None:
    assert signed_in.post(URL, {"theme": "dark"}).status_code == 303
    other = Client()
    other.force_login(alice)
    assert 'data-theme="dark"' in html_tag(other)


def test_nobody_elses_page_changes(signed_in: Client) -> None:
    signed_in.post(URL, {"theme": "dark"})
    bob = Client()
    bob.force_login(UserFactory())
    assert "data-theme" not in html_tag(bob)


def test_the_system_is_followed_again(signed_in: Client) -> None:
    signed_in.post(URL, {"theme": "light"})
    signed_in.post(URL, {"theme": ""})
    assert "data-theme" not in html_tag(signed_in)


def test_a_visitor_has_it_in_a_cookie_and_no_row() -> None:
    client = Client()
    assert client.post(URL, {"theme": "dark"}).status_code == 303
    assert 'data-theme="dark"' in html_tag(client)
    assert not Preferences.objects.exists()


def test_the_pages_before_a_log_in_keep_it(signed_in: Client) -> None:
    signed_in.post(URL, {"theme": "dark"})
    signed_in.post("/accounts/logout/")
    assert 'data-theme="dark"' in html_tag(signed_in)


def test_a_cookie_that_names_no_colours_is_nothing() -> None:
    client = Client()
    client.cookies["theme"] = 'x" onload="'
    assert "onload" not in html_tag(client)


def test_colours_that_there_are_not_are_refused(signed_in: Client) -> None:
    response = signed_in.post(URL, {"theme": "plaid"})
    assert response.status_code == 422
    assert "no colours called “plaid”" in response.content.decode()
    assert not Preferences.objects.exists()


def test_the_pages_own_script_is_answered_without_a_page(signed_in: Client) -> None:
    response = signed_in.post(URL, {"theme": "dark"}, headers={"HX-Request": "true"})
    assert (response.status_code, response.content) == (204, b"")
    assert 'data-theme="dark"' in html_tag(signed_in)
