from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django_structlog.app_settings import app_settings

pytestmark = pytest.mark.django_db
GIVEN = "5f0c7c1e11114222"


def answered(given: str) -> str:
    response = Client().get("/help/", headers={"X-Request-ID": given})
    return str(response.headers["X-Request-ID"])


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Any) -> None:
    settings.DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
    assert app_settings.TRUST_UPSTREAM_REQUEST_ID


def test_the_proxys_id_is_the_requests() -> None:
    assert answered(GIVEN) == GIVEN


@pytest.mark.parametrize("given", ["x" * 65, "a b", "caf\u00e9", "<script>", ""])
def test_what_is_no_id_is_replaced(given: str) -> None:
    assert len(answered(given)) == 36


def test_a_client_without_a_proxy_gives_none(settings: Any) -> None:
    settings.DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = False
    assert answered(GIVEN) != GIVEN
