"""Uploads, their limits, and the way into a message."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from conversations import attachments, tasks
from conversations.models import Attachment, Conversation, ReadingState
from tests.factories import ConversationFactory, MessageFactory, UserFactory

pytestmark = pytest.mark.django_db
Attach = Callable[..., Attachment]


def stored_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_private_and_its_name_a_random_one(attach: Attach, stored: Path) -> None:
    attachment = attach(b"text", "my secret.txt", read=False)
    (path,) = stored_files(stored)
    assert "secret" not in str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (attachment.name, attachment.size) == ("my secret.txt", 4)


def test_limits_are_named(bounds: Callable[..., None], stored: Path) -> None:
    alice = UserFactory()
    bounds(file_mb=1, user_mb=2)
    with pytest.raises(attachments.Refused, match="too_large") as refused:
        attachments.store(alice, SimpleUploadedFile("a.txt", b"a" * (2**20 + 1)))
    assert "1 MB" in refused.value.words
    for name in ("a.txt", "b.txt"):
        attachments.store(alice, SimpleUploadedFile(name, b"a" * 2**20))
    with pytest.raises(attachments.Refused, match="no_room") as refused:
        attachments.store(alice, SimpleUploadedFile("c.txt", b"a"))
    assert "2 MB" in refused.value.words
    assert len(stored_files(stored)) == 2
    assert attachments.store(UserFactory(), SimpleUploadedFile("c.txt", b"a"))


def test_many_small_files_take_room_as_well(bounds: Callable[..., None]) -> None:
    alice = UserFactory()
    bounds(file_mb=1, user_mb=1)
    of_a_byte = [
        Attachment(user=alice, name=f"{number}.txt", kind="text", media_type="text/plain", size=1)
        for number in range(64)
    ]
    Attachment.objects.bulk_create(of_a_byte[1:])
    attachments.store(alice, SimpleUploadedFile("a.txt", b"a"))
    with pytest.raises(attachments.Refused, match="no_room"):
        attachments.store(alice, SimpleUploadedFile("b.txt", b"b"))


def test_a_message_takes_the_files_of_its_user(attach: Attach) -> None:
    message = MessageFactory()
    alice = message.conversation.user
    first, second = (attach(b"text", "a.txt", alice, read=False) for _ in range(2))
    attachments.send(message, alice.pk, [second.pk, first.pk])
    assert [one.name for one in message.attachments.in_order()] == ["a.txt", "a (2).txt"]
    assert {one.conversation_id for one in message.attachments.all()} == {message.conversation_id}


def test_files_of_others_and_of_other_conversations_are_not_to_be_had(attach: Attach) -> None:
    message = MessageFactory()
    alice = message.conversation.user
    others = attach(b"text")
    elsewhere = attach(b"text", user=alice)
    attachments.send(
        MessageFactory(conversation=ConversationFactory(user=alice)), alice.pk, [elsewhere.pk]
    )
    for wanted in (others, elsewhere):
        with pytest.raises(attachments.Refused, match="gone"):
            attachments.send(message, alice.pk, [wanted.pk])
    assert not message.attachments.exists()


def delete_conversation(conversation: Conversation) -> None:
    conversation.delete()


def delete_account(conversation: Conversation) -> None:
    conversation.user.delete()


@pytest.mark.parametrize("delete", [delete_conversation, delete_account])
def test_files_go_with_what_they_belong_to_once_it_is_certain(
    attach: Attach, stored: Path, delete: Any, django_capture_on_commit_callbacks: Any
) -> None:
    message = MessageFactory()
    attachment = attach(b"text", user=message.conversation.user)
    attachments.send(message, message.conversation.user_id, [attachment.pk])
    with django_capture_on_commit_callbacks() as callbacks:
        delete(message.conversation)
    assert not Attachment.objects.exists()
    assert len(stored_files(stored)) == 1  # a rollback would still want it
    for callback in callbacks:
        callback()
    assert not stored_files(stored)


def test_what_nobody_sent_is_swept_away(
    attach: Attach, stored: Path, django_capture_on_commit_callbacks: Any
) -> None:
    old, new = attach(b"old"), attach(b"new")
    Attachment.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_attachments.func()
    assert list(Attachment.objects.all()) == [new]
    assert len(stored_files(stored)) == 1


@pytest.mark.usefixtures("queue_redis")
def test_what_no_worker_took_is_enqueued_again(attach: Attach) -> None:
    waiting = attach(b"text", read=False)
    assert tasks.sweep_attachments.func() == 0
    long_ago = timezone.now() - timedelta(hours=1)
    Attachment.objects.filter(pk=waiting.pk).update(
        state=ReadingState.READING, state_at=long_ago, tries=1
    )
    assert tasks.sweep_attachments.func() == 1
    assert tasks.sweep_attachments.func() == 0  # not with every sweep
    read = attachments.read(waiting.pk)
    assert read is not None
    assert read.is_ready
    assert tasks.sweep_attachments.func() == 0


def test_stored_files_without_a_row_are_found(attach: Attach, stored: Path) -> None:
    attach(b"text")
    orphan = stored / "ab" / "abcd"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"left")
    assert attachments.remove_orphans(timedelta(days=1)) == 0  # it may be one of this minute
    assert attachments.remove_orphans(timedelta(0)) == 1
    assert not orphan.exists()
    assert len(stored_files(stored)) == 1


def test_the_text_that_was_read_takes_room(attach: Attach, bounds: Callable[..., None]) -> None:
    text = "Käse\n" * 40_000
    attachment = attach(text.encode("latin-1"))
    assert attachment.size == 5 * 40_000
    assert attachment.text_size >= len(text.encode()) - 1_000  # but ends of pages
    own = Attachment.objects.filter(user=attachment.user)
    assert own.bytes() == attachment.size + attachment.text_size
    bounds(file_mb=1, user_mb=1)
    attach(text.encode("latin-1"), user=attachment.user)
    with pytest.raises(attachments.Refused, match="no_room"):  # of files alone, five would fit
        attach(text.encode("latin-1"), user=attachment.user)
