"""The short form of `python -m tests.benchmarks load`: what is too much is told so, and passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.benchmarks import load
from tests.factories import ConversationFactory, MessageFactory
from tests.site import Site


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow  # a web server under load for some seconds
def test_three_times_what_it_can_do_is_shed_and_passes(tmp_path: Path, queue_redis: Any) -> None:
    message, client = MessageFactory(conversation=ConversationFactory()), Client()
    client.force_login(message.conversation.user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    site = Site(tmp_path, LOG_LEVEL="ERROR")
    site.start_web()
    try:
        site.wait_until_ready()
        path = f"/c/{message.conversation.pk}/"
        found = load.run(site, path, cookie, soak=1, overload=3, measuring=0.7)
    finally:
        site.__exit__(None, None, None)

    assert found["overload_shed"] > 0
    assert found["overload_answered"] > 0
    assert found["overload_lost"] == found["overload_other"] == 0
    assert found["overload_without_retry_after"] == 0
    assert found["seconds_until_calm"] < 10
