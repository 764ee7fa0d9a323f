from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conversations import importing, transfer
from conversations.models import Conversation, Import
from conversations.tasks import enqueue_reading
from tests.conversations.test_chatgpt import TYPICAL
from tests.factories import ConversationFactory, MessageFactory


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("name", ["json", "markdown", "html"])
def test_one_and_all(client: Client, conversation: Conversation, alice: Any, name: str) -> None:
    MessageFactory.create(conversation=conversation, text="<b>Brie</b>?")
    MessageFactory.create(conversation=ConversationFactory.create(user=alice), text="Gouda?")
    one = client.get(f"/c/{conversation.pk}/export/", {"format": name})
    assert one["Content-Disposition"].startswith('attachment; filename="conversation-2')
    assert "no-store" in one["Cache-Control"]
    found = body(one)
    assert b"Brie" in found
    assert b"Gouda" not in found
    if name == "html":
        assert b"<b>" not in found
    everything = body(client.get("/transfer/", {"format": name}))
    assert b"Brie" in everything
    assert b"Gouda" in everything


def test_only_own_ones_go_out(charlie: Client, conversation: Conversation) -> None:
    MessageFactory.create(conversation=conversation, text="Brie")
    assert b"Brie" not in body(charlie.get("/transfer/", {"format": "json"}))


def test_there_is_no_other_format(client: Client, conversation: Conversation) -> None:
    assert client.get("/transfer/", {"format": "exe"}).status_code == 404
    assert client.get(f"/c/{conversation.pk}/export/", {"format": "exe"}).status_code == 404


def bring(client: Client, data: bytes) -> str:
    """What the page says once the job has read it."""
    response = client.post("/transfer/", {"file": BytesIO(data)})
    assert response.status_code == 303
    assert "waiting to be read" in client.get(response.headers["Location"]).content.decode()
    importing.read(Import.objects.latest("pk").pk, enqueue_reading)
    return client.get(response.headers["Location"]).content.decode()


@pytest.mark.usefixtures("queue_redis")
def test_back_again(client: Client, conversation: Conversation, alice: Any) -> None:
    MessageFactory.create(conversation=conversation, text="Brie")
    data = body(client.get("/transfer/", {"format": "json"}))
    assert "1 conversation with 1 message is here now." in bring(client, data)
    assert alice.conversations.count() == 2
    copy = alice.conversations.exclude(pk=conversation.pk).get()
    assert "Brie</p>" in client.get(copy.get_absolute_url()).content.decode()
    assert client.get("/search/", {"words": "brie"}).context["results"].count == 2
    assert "1 was here already" in bring(client, data)
    assert alice.conversations.count() == 2


@pytest.mark.usefixtures("queue_redis")
def test_refusals(client: Client, alice: Any, monkeypatch: Any) -> None:
    response = client.post("/transfer/", {})
    assert response.status_code == 422
    assert "Choose a file" in response.content.decode()
    for data, words in ((b"x", "no JSON"), (b"{}", "missing")):
        page = bring(client, data)
        assert "Nothing was imported." in page
        assert words in page
    monkeypatch.setattr(transfer, "MOST_BYTES", 2)
    assert "more than" in client.post("/transfer/", {"file": BytesIO(b"1234")}).content.decode()
    assert not alice.conversations.exists()
    assert not any(one.file for one in alice.imports.all())


@pytest.mark.usefixtures("queue_redis")
def test_an_export_of_chatgpt_is_read_by_a_job(client: Client, alice: Any) -> None:
    data = json.dumps([TYPICAL]).encode()
    response = client.post("/transfer/", {"file": SimpleUploadedFile("conversations.json", data)})
    assert response.status_code == 303
    page = client.get(response.headers["Location"]).content.decode()
    assert "waiting to be read" in page
    assert "data-again" in page
    importing.read(Import.objects.get(user=alice).pk, enqueue_reading)
    page = client.get(response.headers["Location"]).content.decode()
    assert "1 conversation with 5 messages is here now." in page
    assert "image asset pointer: 1" in page
    assert "data-again" not in page


@pytest.mark.usefixtures("queue_redis")
def test_one_user_cannot_keep_all_workers_busy(client: Client, alice: Any) -> None:
    def status() -> int:
        data = json.dumps([TYPICAL]).encode()
        file = SimpleUploadedFile("conversations.json", data)
        return client.post("/transfer/", {"file": file}).status_code

    assert [status() for _ in range(4)] == [303, 303, 303, 429]
    importing.read(Import.objects.filter(user=alice).latest("pk").pk, enqueue_reading)
    assert status() == 303
