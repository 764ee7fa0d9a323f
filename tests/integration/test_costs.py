"""What each kind of request asks of PostgreSQL and Redis once the caches are warm: more of it is a regression.

`python -m tests.benchmarks endpoints` has their CPU beside these counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.attachments.storing import store
from conversations.models import Conversation, ReadingState, Role, Status
from tests import round_trips
from tests.factories import (
    PASSWORD,
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
Ask = Callable[[], Any]


@pytest.fixture
def alice() -> Any:
    return UserFactory(username="alice")


@pytest.fixture
def conversation(alice: Any) -> Conversation:
    """Sixty messages of which the last is an answer."""
    made: Conversation = ConversationFactory(user=alice, title="Cheese")
    branch = made.shown_branch
    branch.append(*(MessageFactory.build(conversation=made, branch=branch) for _ in range(59)))
    answer = MessageFactory(conversation=made, role=Role.ASSISTANT, text="Yes.")
    ReplyFactory(message=answer, status=Status.COMPLETE, attempt=1)
    return made


@pytest.fixture
def client(alice: Any) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def cost(ask: Ask, status: int = 200) -> tuple[int, int]:
    """Asks until all that may be kept is kept: (statements, round trips to Redis) of the last time."""
    for _ in range(4):
        with round_trips.counted() as trips, CaptureQueriesContext(connection) as queries:
            response = ask()
            b"".join(response)
        assert response.status_code == status
    return len(queries), len(trips)


def test_pages_that_are_kept(client: Client, conversation: Conversation) -> None:
    own = conversation.get_absolute_url()
    middle = conversation.messages.get(place=40).pk
    htmx = {"HX-Request": "true"}
    assert cost(lambda: client.get("/")) == (0, 0)
    assert cost(lambda: client.get("/", headers=htmx)) == (0, 0)
    assert cost(lambda: client.get(own)) == (0, 1)  # where its events stand
    assert cost(lambda: client.get(f"{own}messages/?before={middle}", headers=htmx)) == (0, 0)


def test_pages_of_nobodys_own(client: Client) -> None:
    for asking in (Client(), client):
        assert cost(lambda asking=asking: asking.get("/help/")) == (0, 0)
        assert cost(lambda asking=asking: asking.get("/help/guide/")) == (0, 0)
        assert cost(lambda asking=asking: asking.get("/nowhere/"), 404) == (0, 0)
    assert cost(lambda: Client().get("/")) == (0, 0)
    assert cost(lambda: Client().get("/accounts/login/")) == (0, 0)


SETTINGS = {
    "": (0, 0),
    "assistant/": (0, 0),
    "history/": (0, 0),
    "time/": (0, 0),
    "appearance/": (0, 0),
    "language/": (0, 0),
    "keyboard/": (0, 0),
    "usage/": (4, 0),
    "privacy/": (3, 0),
    "shares/": (2, 0),
}


@pytest.mark.parametrize("section", SETTINGS)
def test_settings(client: Client, section: str) -> None:
    assert cost(lambda: client.get(f"/settings/{section}")) == SETTINGS[section]


def test_search(client: Client, conversation: Conversation) -> None:
    assert cost(lambda: client.get("/search/?words=hello")) == (2, 0)  # matches, rows


def test_a_form_of_a_conversation(client: Client, conversation: Conversation) -> None:
    assert cost(lambda: client.get(f"{conversation.get_absolute_url()}rename/")) == (1, 0)


def test_an_attachment(client: Client, alice: Any) -> None:
    made = store(alice, SimpleUploadedFile("a.txt", b"A text."))
    made.end(ReadingState.READY)
    assert cost(lambda: client.get(f"/attachments/{made.pk}/")) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_sending(client: Client, alice: Any) -> None:
    """With BEGIN and COMMIT; the job goes to its queue and the event to its stream."""
    own = iter([ConversationFactory(user=alice).get_absolute_url() for _ in range(4)])
    htmx = {"HX-Request": "true"}

    def send() -> Any:
        return client.post(f"{next(own)}messages/", {"text": "Hi", "key": uuid4()}, headers=htmx)

    assert cost(send, 201) == (13, 3)


def test_signing_in(alice: Any) -> None:
    """Of the round trips 20 are allauth's, which counts by address and name, each under a lock."""
    form = {"login": "alice", "password": PASSWORD}
    assert cost(lambda: Client().post("/accounts/login/", form), 302) == (10, 24)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", (4, 1)), ("data/", (3, 1)), ("data/?since=1", (3, 1)), ("minute/", (6, 1))],
)
def test_the_dashboard(staff: Client, path: str, expected: tuple[int, int]) -> None:
    assert cost(lambda: staff.get(f"/admin/performance/dashboard/{path}")) == expected


def test_what_programs_ask() -> None:
    assert cost(lambda: Client().get("/metrics")) == (0, 2)  # running totals, levels
    assert cost(lambda: Client().get("/health/live")) == (0, 0)
