from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from tests.factories import ConversationFactory, UserFactory

pytestmark = pytest.mark.django_db


def accounts(count: int) -> list[dict[str, str]]:
    out = io.StringIO()
    call_command("load_accounts", str(count), stdout=out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_they_are_signed_in_and_have_a_password(settings: Any) -> None:
    first, second = accounts(2)
    assert first["username"] != second["username"]
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = first["session"]
    assert client.get("/").context["request"].user.username == first["username"]
    assert Client().login(username=second["username"], password=second["password"])


def test_they_are_forgotten_with_what_they_wrote_and_nobody_else_is() -> None:
    UserFactory.create(username="loaded")
    (row,) = accounts(1)
    ConversationFactory.create(user=get_user_model().objects.get(username=row["username"]))
    err = io.StringIO()
    call_command("load_accounts", "--forget", stderr=err)
    assert err.getvalue() == "Deleted 1 accounts.\n"
    assert [user.username for user in get_user_model().objects.all()] == ["loaded"]


@pytest.mark.parametrize("count", ["0", "-1", "10001"])
def test_an_odd_count_is_refused(count: str) -> None:
    with pytest.raises(CommandError, match="from 1 to 10,000"):
        call_command("load_accounts", "--", count)
