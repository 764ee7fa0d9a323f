"""Files beside a message: sent ahead or with it, looked into, cited, taken back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from conversations import attachments, tasks
from conversations.models import Attachment, Conversation, Message, ReadingState, Reply, Status
from tests.conversations.attachments import files
from tests.factories import ConversationFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue_redis", "cache_redis")]
FRAGMENT = {"HTTP_HX_REQUEST": "true"}


def file(data: bytes = b"one\ntwo\nthree", name: str = "notes.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


@pytest.fixture
def kept(alice: Any) -> Attachment:
    attachment = attachments.store(alice, file())
    read = attachments.read(attachment.pk)
    assert read is not None
    return read


@pytest.fixture
def sent(client: Client, alice: Any, kept: Attachment) -> Attachment:
    client.post("/", {"text": "What is the second line?", "attached": [str(kept.pk)]})
    kept.refresh_from_db()
    assert kept.conversation_id is not None
    return kept


def test_a_file_is_sent_ahead(client: Client, alice: Any) -> None:
    response = client.post("/attachments/", {"upload": file()}, **FRAGMENT)
    assert response.status_code == 201
    attachment = Attachment.objects.get(user=alice)
    assert f'name="attached" value="{attachment.pk}"' in response.content.decode()
    assert "Waiting to be read" in response.content.decode()
    attachments.read(attachment.pk)
    chip = client.get(f"/attachments/{attachment.pk}/chip/").content.decode()
    assert "13\xa0bytes" in chip


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (files.archive(), "archive"), (b"\0", "no text, PDF or image")],
)
def test_what_is_refused_says_why(client: Client, alice: Any, data: bytes, words: str) -> None:
    response = client.post("/attachments/", {"upload": file(data)})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert client.post("/attachments/", {"upload": "no file"}).status_code == 422
    assert not Attachment.objects.exists()


def test_without_scripts_files_come_with_the_text(client: Client, alice: Any) -> None:
    response = client.post("/", {"text": "Look", "upload": [file(), file(name="more.txt")]})
    assert response.status_code == 303
    message = Message.objects.get(text="Look")
    assert {one.name for one in message.attachments.all()} == {"notes.txt", "more.txt"}
    page = client.get(response.headers["Location"]).content.decode()
    assert "more.txt" in page


def test_files_go_without_words(client: Client, alice: Any) -> None:
    assert client.post("/", {"text": "", "upload": [file(name="käse.txt")]}).status_code == 303
    message = Message.objects.get(role="user")
    assert (message.text, message.attachments.get().name) == ("", "käse.txt")
    assert message.conversation.title == "käse.txt"
    page = client.get(message.conversation.get_absolute_url()).content.decode()
    assert "käse.txt" in page
    assert 'class="bubble' not in page
    assert client.post("/", {"text": ""}).status_code == 422


@pytest.mark.parametrize("where", ["/", "conversation"])
def test_an_error_costs_neither_the_text_nor_the_other_files(
    client: Client, alice: Any, where: str
) -> None:
    if where != "/":
        where = f"{ConversationFactory(user=alice).get_absolute_url()}messages/"
    bad = file(files.archive(), "bad.zip")
    response = client.post(where, {"text": "Look at these", "upload": [file(), bad]})
    assert response.status_code == 422
    page = response.content.decode()
    assert "bad.zip: This is an archive" in page
    assert "Look at these</textarea>" in page
    (good,) = Attachment.objects.all()
    assert f'name="attached" value="{good.pk}"' in page
    assert not Message.objects.exists()

    again = client.post(where, {"text": "Look at these", "attached": [str(good.pk)]})
    assert again.status_code == 303
    assert Message.objects.get(text="Look at these").attachments.get() == good


def test_a_file_that_is_gone_is_told_and_the_text_kept(
    client: Client, alice: Any, kept: Attachment
) -> None:
    assert client.post(f"/attachments/{kept.pk}/remove/").status_code == 204
    response = client.post("/", {"text": "Look", "attached": [str(kept.pk)]})
    assert response.status_code == 422
    assert "was removed meanwhile" in response.content.decode()
    assert "Look</textarea>" in response.content.decode()
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("attached", ["x", "1; DROP TABLE", ""])
def test_a_damaged_form_is_no_error_of_ours(client: Client, alice: Any, attached: str) -> None:
    assert client.post("/", {"text": "Look", "attached": attached}).status_code == 422


@override_settings(ATTACHMENTS={"PER_MESSAGE": 1})
def test_more_than_may_be_sent_at_once(client: Client, alice: Any) -> None:
    ids = [str(uuid.uuid4()), str(uuid.uuid4())]
    response = client.post("/", {"text": "Look", "attached": ids})
    assert "1 file can be sent" in response.content.decode()


def test_a_sent_file_stays(client: Client, sent: Attachment) -> None:
    assert client.post(f"/attachments/{sent.pk}/remove/").status_code == 404
    assert Attachment.objects.exists()


def test_another_version_of_the_question_has_its_files(client: Client, sent: Attachment) -> None:
    message = sent.messages.get()
    url = f"/c/{message.conversation_id}/messages/{message.pk}/edit/"
    assert client.post(url, {"text": "And the third?"}).status_code == 303
    assert Message.objects.get(text="And the third?").attachments.get() == sent


def test_a_file_goes_out_to_be_saved_and_as_nothing_else(client: Client, alice: Any) -> None:
    html = b"<script>alert(1)</script>"
    attachment = attachments.store(alice, file(html, 'päge;".html'))
    attachments.read(attachment.pk)
    response = client.get(f"/attachments/{attachment.pk}/")
    assert b"".join(response.streaming_content) == html  # type: ignore[attr-defined]
    assert response.headers["Content-Type"] == "text/plain"
    assert response.headers["Content-Disposition"].startswith(
        "attachment; filename*=utf-8''p%C3%A4ge"
    )
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "sandbox",
    ]
    assert "no-store" in response.headers["Cache-Control"]


def test_a_picture_goes_out_once_it_was_written_anew(client: Client, alice: Any) -> None:
    attachment = attachments.store(alice, file(files.picture("JPEG"), "x.jpg"))
    assert client.get(f"/attachments/{attachment.pk}/").status_code == 404
    attachments.read(attachment.pk)
    data = b"".join(client.get(f"/attachments/{attachment.pk}/").streaming_content)  # type: ignore[attr-defined]
    assert files.CANARY.encode() not in data


def test_who_attaches_a_picture_is_told_where_nobody_looks_at_it(
    client: Client, alice: Any
) -> None:
    attachment = attachments.store(alice, file(files.picture(), "x.png"))
    attachments.read(attachment.pk)
    told = "no model here reads images"
    assert told in client.get(f"/attachments/{attachment.pk}/chip/").content.decode()
    options = {"base_url": "http://localhost/v1", "model": "m", "images": True}
    backend = {"BACKEND": "conversations.ai.openai.OpenAIBackend", "OPTIONS": options}
    with override_settings(CHAT_BACKENDS={"default": backend}):
        assert told not in client.get(f"/attachments/{attachment.pk}/chip/").content.decode()


@override_settings(ATTACHMENTS={"ACCEL": "/internal/files/"})
def test_nginx_may_send_the_bytes(client: Client, kept: Attachment) -> None:
    response = client.get(f"/attachments/{kept.pk}/")
    assert response.headers["X-Accel-Redirect"] == f"/internal/files/{kept.file.name}"
    assert response.headers["Content-Disposition"] == 'attachment; filename="notes.txt"'
    assert not response.content


def test_its_text_has_numbered_lines(client: Client, alice: Any) -> None:
    attachment = attachments.store(alice, file(b"=cmd|' /C calc'!A0\n<b>bold</b>", "table.csv"))
    waiting = client.get(f"/attachments/{attachment.pk}/text/")
    assert "still being read" in waiting.content.decode()
    attachments.read(attachment.pk)
    page = client.get(f"/attachments/{attachment.pk}/text/").content.decode()
    assert 'id="l2"' in page
    assert "=cmd|&#x27; /C calc&#x27;!A0" in page
    assert "&lt;b&gt;bold" in page
    for number in ("2", "x", "0"):
        assert (
            client.get(f"/attachments/{attachment.pk}/text/", {"page": number}).status_code == 404
        )


def test_citations_lead_to_their_line(client: Client, sent: Attachment) -> None:
    where = f"/c/{sent.conversation_id}/cited/"
    response = client.get(where, {"file": "notes.txt", "line": "2"})
    assert response.status_code == 303
    assert response.headers["Location"] == f"/attachments/{sent.pk}/text/?page=1#l2"
    for query in (
        {"file": "other.txt"},
        {"file": "notes.txt", "page": "9"},
        {"file": "notes.txt\0"},
    ):
        assert client.get(where, query).status_code in {303, 404}
    assert client.get(where, {"file": "notes.txt", "line": "x"}).status_code == 404


def test_a_citation_of_two_files_of_one_name_leads_to_the_first(
    client: Client, sent: Attachment, alice: Any
) -> None:
    second = attachments.store(alice, file())
    second.conversation_id = sent.conversation_id
    second.save()
    where = f"/c/{sent.conversation_id}/cited/"
    response = client.get(where, {"file": "notes.txt", "line": "2"})
    assert response.headers["Location"] == f"/attachments/{sent.pk}/text/?page=1#l2"


def test_a_page_with_files_asks_no_more(
    client: Client, sent: Attachment, django_assert_num_queries: Any
) -> None:
    Reply.objects.update(status=Status.COMPLETE)
    with django_assert_num_queries(4):  # conversation, messages, tool runs, list
        page = client.get(f"/c/{sent.conversation_id}/").content.decode()
    assert "notes.txt" in page
    with django_assert_num_queries(0):
        client.get(f"/c/{sent.conversation_id}/")


@pytest.mark.django_db(transaction=True)  # pages are forgotten when that commits
def test_the_page_shows_when_it_has_been_read(client: Client, alice: Any) -> None:
    waiting = attachments.store(alice, file())
    client.post("/", {"text": "Look", "attached": [str(waiting.pk)]})
    url = Conversation.objects.get().get_absolute_url()
    assert "Waiting to be read" in client.get(url).content.decode()
    tasks.read_attachment.func(attachment_id=str(waiting.pk))
    assert "Waiting to be read" not in client.get(url).content.decode()
    waiting.refresh_from_db()
    assert waiting.state == ReadingState.READY
