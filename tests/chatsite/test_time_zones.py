"""Every time on a page, and every day that is asked for, is in the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from conversations.models import Conversation, Message, Preferences
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory, UserFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("cache_redis", "queue_redis"),
]
# An hour before midnight in UTC: the next day already in Tokyo, still the afternoon in New York.
LATE = datetime(2026, 6, 30, 23, 0, tzinfo=UTC)


@pytest.fixture
def alice() -> User:
    made: User = UserFactory()
    return made


@pytest.fixture
def client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def conversation(alice: User) -> Conversation:
    made: Conversation = ConversationFactory(user=alice)
    MessageFactory(conversation=made, text="cheese", created_at=datetime(2026, 6, 1, tzinfo=UTC))
    ReplyFactory(
        message__conversation=made,
        message__text="cheese indeed",
        message__created_at=LATE,
        status="complete",
    )
    return made


def shown(client: Client, conversation: Conversation) -> str:
    return client.get(conversation.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("zone", "iso"),
    [
        ("", "2026-06-30T23:00:00+00:00"),
        ("Asia/Tokyo", "2026-07-01T08:00:00+09:00"),
        ("America/New_York", "2026-06-30T19:00:00-04:00"),
        ("Mars/Olympus", "2026-06-30T23:00:00+00:00"),  # stored once, known no more
    ],
)
def test_pages_show_the_chosen_zone(
    client: Client, alice: User, conversation: Conversation, zone: str, iso: str
) -> None:
    Preferences.objects.change(alice, time_zone=zone)
    assert f'datetime="{iso}"' in shown(client, conversation)


def test_the_browsers_zone_holds_until_one_is_chosen(
    client: Client, alice: User, conversation: Conversation
) -> None:
    client.cookies["time_zone"] = "Asia/Tokyo"
    assert "T08:00:00+09:00" in shown(client, conversation)
    client.post("/settings/time/", {"time_zone": "America/New_York"})
    assert "T19:00:00-04:00" in shown(client, conversation)


@pytest.mark.parametrize("cookie", ["../../etc/passwd", "Asia/Nowhere", "%00", "x" * 4000])
def test_a_cookie_that_names_no_zone_is_nothing(
    client: Client, conversation: Conversation, cookie: str
) -> None:
    client.cookies["time_zone"] = cookie
    assert "T23:00:00+00:00" in shown(client, conversation)


def test_what_a_script_tells_is_kept_where_nothing_was_chosen(client: Client, alice: User) -> None:
    script = {"HX-Request": "true"}
    url = "/settings/time/"
    assert client.post(url, {"time_zone": "Asia/Tokyo"}, headers=script).status_code == 204
    assert Preferences.objects.get(user=alice).time_zone == "Asia/Tokyo"
    client.post(url, {"time_zone": "Europe/Berlin"}, headers=script)
    assert Preferences.objects.get(user=alice).time_zone == "Asia/Tokyo"


@pytest.mark.parametrize("name", ["Asia/Nowhere", "a\0b", "x" * 100])
def test_a_zone_that_there_is_not_is_refused(client: Client, name: str) -> None:
    response = client.post("/settings/time/", {"time_zone": name})
    assert response.status_code == 422
    assert 'id="time_zone_error"' in response.content.decode()
    assert not Preferences.objects.exists()


def test_one_readers_zone_is_not_the_nexts(client: Client, alice: User) -> None:
    Preferences.objects.change(alice, time_zone="Asia/Tokyo")
    client.get("/")
    Client().get("/help/")
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize(
    ("zone", "day", "is_found"),
    [
        ("UTC", "2026-06-30", True),
        ("UTC", "2026-07-01", False),
        ("Asia/Tokyo", "2026-06-30", False),
        ("Asia/Tokyo", "2026-07-01", True),
    ],
)
def test_days_are_the_readers(
    client: Client, alice: User, conversation: Conversation, zone: str, day: str, is_found: bool
) -> None:
    Preferences.objects.change(alice, time_zone=zone)
    answer = Message.objects.get(place=2)
    found = client.get(f"/search/?words=cheese&since={day}&until={day}").content.decode()
    assert (f"at={answer.pk}" in found) == is_found
    if is_found:
        look = client.get(f"{conversation.get_absolute_url()}look/?day={day}")
        assert look.headers["Location"] == answer.get_absolute_url()


def test_an_export_to_read_has_the_readers_times(
    client: Client, alice: User, conversation: Conversation
) -> None:
    Preferences.objects.change(alice, time_zone="Asia/Tokyo")
    for name in ("markdown", "html"):
        file: Any = client.get(f"{conversation.get_absolute_url()}export/?format={name}")
        assert b"2026-07-01 08:00" in file.getvalue()


def test_staff_pages_are_in_the_sites_zone(settings: Any) -> None:
    staff = UserFactory(is_staff=True, is_superuser=True)
    Preferences.objects.change(staff, time_zone="Asia/Tokyo")
    client = Client()
    client.force_login(staff)
    client.get("/admin/")
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE
