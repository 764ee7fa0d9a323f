from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "key", ["abc\0defghijk", "a b c d e f g h", "../../../etc", "\u00e9" * 32, ""]
)
def test_a_key_that_cannot_be_one_is_nobody_s(key: str) -> None:
    client = Client(SERVER_NAME="localhost")
    client.cookies["sessionid"] = key

    assert client.get("/").status_code == 200


def test_a_session_lasts_from_one_request_to_the_next() -> None:
    client = Client(SERVER_NAME="localhost")
    client.force_login(UserFactory(username="ada"))

    assert b"ada" in client.get("/").content
