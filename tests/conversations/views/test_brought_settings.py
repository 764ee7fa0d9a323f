"""Settings travel with all conversations, and replace nothing that their new owner has not ticked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from conversations import importing
from conversations.models import Import, Preferences
from conversations.tasks import enqueue_reading
from conversations.views.brought_settings import brought

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue_redis")]

CHOSEN = {
    "system_prompt": "Answer in rhymes.",
    "theme": "dark",
    "time_zone": "Asia/Tokyo",
    "keep_history": False,
}


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def imported(user: Any, **preferences: Any) -> Import:
    file = {"format": "chatsite conversations", "version": 2, "conversations": []}
    found = Import(user=user)
    data = json.dumps(file | {"preferences": preferences}).encode()
    found.file.save("", ContentFile(data), save=False)
    found.save()
    importing.read(found.pk, enqueue_reading)
    found.refresh_from_db()
    return found


def test_what_goes_out_is_offered_and_taken_as_ticked(client: Client, alice: Any) -> None:
    Preferences.objects.change(alice, **CHOSEN)
    file = json.loads(body(client.get("/transfer/", {"format": "json"})))
    assert file["preferences"] | CHOSEN == file["preferences"]
    Preferences.objects.all().delete()
    Preferences.objects.change(alice, system_prompt="Be short.", time_zone="Asia/Tokyo")

    found = imported(alice, **file["preferences"])
    mine = Preferences.objects.get()
    assert mine.system_prompt == "Be short."
    rows = {one.name: one.overwrites for one in brought(mine, found)}
    assert rows == {"system_prompt": True, "theme": False, "keep_history": False}
    page = client.get(found.get_absolute_url()).content.decode()
    assert "In the file: “Answer in rhymes.”. Yours: “Be short.”." in page
    assert "In the file: “Dark”. Yours: “nothing chosen”." in page

    response = client.post(f"{found.get_absolute_url()}settings/", {"theme": "on"}, follow=True)
    assert "Saved." in response.content.decode()
    assert "Settings in the file" not in response.content.decode()
    mine.refresh_from_db()
    assert (mine.theme, mine.system_prompt, mine.keep_history) == ("dark", "Be short.", True)


def test_what_cannot_be_had_here_is_not_offered(alice: Any) -> None:
    found = imported(
        alice,
        theme="pink",
        language="xx",
        time_zone="Moon/Base",
        chat_model="a/b",
        system_prompt="a\0b",
    )
    assert [one.value for one in brought(Preferences(user=alice), found)] == ["a b"]


def test_one_conversation_says_nothing_of_its_owner(
    client: Client, alice: Any, conversation: Any
) -> None:
    Preferences.objects.change(alice, **CHOSEN)
    file = body(client.get(f"/c/{conversation.pk}/export/"))
    assert b"rhymes" not in file
    assert b"preferences" not in file
