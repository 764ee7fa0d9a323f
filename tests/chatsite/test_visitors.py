from __future__ import annotations

from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from tests.factories import ConversationFactory, UserFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("cache_redis", "queue_redis"),
]


@pytest.fixture
def alice() -> User:
    made: User = UserFactory(username="alice")
    return made


@pytest.fixture
def client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    assert client.get("/").status_code == 200
    return client


def is_signed_in(client: Client) -> bool:
    return b'id="sidebar"' in client.get("/").content


def test_a_page_that_was_read_before_asks_the_database_nothing(
    client: Client, alice: User, django_assert_num_queries: Any
) -> None:
    url = ConversationFactory(user=alice).get_absolute_url()
    assert [client.get(page).status_code for page in (url, "/")] == [200, 200]
    with django_assert_num_queries(0):
        assert [client.get(page).status_code for page in (url, "/")] == [200, 200]


def test_a_user_who_is_saved_is_seen_as_saved(client: Client, alice: User) -> None:
    alice.first_name = "Alicia"
    alice.save()
    assert client.get("/").wsgi_request.user.first_name == "Alicia"


def test_a_user_who_is_deactivated_is_signed_out(client: Client, alice: User) -> None:
    alice.is_active = False
    alice.save()
    assert not is_signed_in(client)


def test_a_user_who_is_deleted_is_signed_out(client: Client, alice: User) -> None:
    alice.delete()
    assert not is_signed_in(client)


def test_a_new_password_ends_the_sessions(client: Client, alice: User) -> None:
    alice.set_password("another one")
    alice.save()
    assert not is_signed_in(client)


def test_a_cached_row_with_another_password_is_not_believed(
    client: Client, alice: User, django_assert_num_queries: Any
) -> None:
    """As after an update without a signal: the cache has the old row, the session the new hash."""
    alice.set_password("another one")
    User.objects.filter(pk=alice.pk).update(password=alice.password)
    other = Client()
    other.force_login(User.objects.get(pk=alice.pk))
    assert is_signed_in(other)


def test_no_password_leaves_the_database(client: Client, alice: User) -> None:
    seen = cache.get(f"visitor:{alice.pk}")
    assert seen.user == alice
    assert "password" in seen.user.get_deferred_fields()
    assert client.get("/").wsgi_request.user.password == alice.password


def test_staff_are_looked_up_every_time(
    client: Client, alice: User, django_assert_num_queries: Any
) -> None:
    alice.is_staff = True
    alice.save()
    client.get("/")
    with django_assert_num_queries(1):
        client.get("/")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("post", "/", 401), ("get", "/accounts/email/", 302)]
)
def test_what_may_change_something_reads_the_row(
    client: Client, alice: User, method: str, path: str, status: int
) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert getattr(client, method)(path).status_code == status


def test_one_users_row_is_nobody_elses(client: Client) -> None:
    bob = Client()
    bob.force_login(UserFactory(username="bob"))
    names = [c.get("/").wsgi_request.user.username for c in (client, bob, client, bob)]
    assert names == ["alice", "bob"] * 2


def test_without_the_cache(client: Client, settings: Any, django_assert_num_queries: Any) -> None:
    settings.PERFORMANCE = {"CACHE": {"ENABLED": False}}
    with django_assert_num_queries(2):  # user, list
        assert is_signed_in(client)


def test_a_session_that_names_nobody(client: Client, cache_redis: redis.Redis) -> None:
    session = client.session
    session["_auth_user_id"] = "999999999"
    session.save()
    assert not is_signed_in(client)


def test_a_browser_forgets_with_a_sign_out_what_it_has_kept(client: Client) -> None:
    assert not client.get("/").has_header("Clear-Site-Data")
    assert client.post("/accounts/logout/")["Clear-Site-Data"] == '"cache"'
    assert not client.get("/").has_header("Clear-Site-Data")
