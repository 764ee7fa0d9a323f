from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from chatsite.up import preparation
from conversations.models import Conversation

pytestmark = pytest.mark.django_db


def test_the_first_superuser_gets_a_password_that_works() -> None:
    account = preparation.staff_account()
    user = User.objects.get(username=account.name)
    assert account.name == "admin"
    assert user.is_staff
    assert user.check_password(account.password)


def test_who_has_a_superuser_keeps_it() -> None:
    User.objects.create_superuser("root", password="x")
    account = preparation.staff_account()
    assert (account.name, account.password) == ("root", "")


def test_a_user_who_took_the_name_does_not_become_staff() -> None:
    taken = User.objects.create_user("admin", password="theirs")
    account = preparation.staff_account()
    taken.refresh_from_db()
    assert not taken.is_superuser
    assert taken.check_password("theirs")
    assert account.name.startswith("admin-")


def test_the_demo_is_the_accounts_own() -> None:
    account = preparation.staff_account()
    preparation.demo(account)
    preparation.demo(account)
    assert Conversation.objects.get().user.username == account.name


def test_a_migrated_database_needs_nothing() -> None:
    assert preparation.migrate() == 0
