from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import Preferences
from conversations.sections import SECTIONS
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]


def test_every_section_is_reached_from_the_overview_and_opens() -> None:
    client = Client()
    client.force_login(UserFactory())
    page = client.get("/settings/").content.decode()
    for section in SECTIONS:
        url = reverse(section.url_name)
        assert f'href="{url}"' in page
        assert client.get(url).status_code == 200


def test_a_visitor_sees_what_needs_no_account() -> None:
    page = Client().get("/settings/").content.decode()
    for section in SECTIONS:
        assert (f'href="{reverse(section.url_name)}"' in page) == section.for_visitors


def test_settings_are_in_the_menu_of_the_account() -> None:
    client = Client()
    client.force_login(UserFactory())
    assert 'href="/settings/"' in client.get("/").content.decode()
    assert 'href="/settings/"' in client.get("/help/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_preferences_cost_no_statement(django_assert_num_queries: Any) -> None:
    user = UserFactory()
    Preferences.objects.change(user, theme="dark")
    client = Client()
    client.force_login(user)
    with django_assert_num_queries(2):  # the user with them, the list
        assert 'data-theme="dark"' in client.get("/").content.decode()
    with django_assert_num_queries(0):
        assert 'data-theme="dark"' in client.get("/").content.decode()


def test_preferences_of_staff_come_from_the_cache(django_assert_num_queries: Any) -> None:
    user = UserFactory(is_staff=True)
    Preferences.objects.change(user, theme="dark")
    client = Client()
    client.force_login(user)
    client.get("/")
    with django_assert_num_queries(1):  # the user, as for every request of staff
        assert 'data-theme="dark"' in client.get("/").content.decode()
