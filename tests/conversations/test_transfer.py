"""What goes out comes back the same: a tree of any shape, and texts of any characters."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations import attachments, importing, markdown, transfer
from conversations.models import (
    Attachment,
    Branch,
    Conversation,
    Import,
    ImportState,
    Message,
    Permission,
    Reply,
    Role,
    Status,
    ToolRun,
)
from conversations.models.imports import KEPT, PATIENCE
from conversations.tasks import enqueue_reading, sweep_imports
from tests.factories import (
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    ToolRunFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]

# All that PostgreSQL holds: no NUL, no halves of characters.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
shapes = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 4)), max_size=5)


NESTED = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def read(user: Any, data: bytes) -> int:
    """How many came. Raises Refused with the words of the file's problem, or of the first conversation's."""
    found = Import(user=user)
    found.file.save("", ContentFile(data), save=False)
    found.save()
    importing.read(found.pk, enqueue_reading)
    found.refresh_from_db()
    assert not found.file
    if found.problem or found.report:
        words = found.words or found.problem
        raise transfer.Refused(words or found.report[0]["problem"])
    return found.taken


def written(conversations: Any, name: str = "json") -> bytes:
    return b"".join(transfer.FORMATS[name][0](conversations))


def grown(conversation: Conversation, shape: list[tuple[int, int]], words: list[str]) -> None:
    """Branches that fork where the shape says, each with so many messages, every other one an answer."""
    for at, length in shape:
        before = Message.objects.filter(conversation=conversation).order_by("pk")
        branch = conversation.shown_branch
        if before:
            branch = Branch.objects.forked(before=before[at % len(before)])
        new = [
            Message(role=Role.ASSISTANT if n % 2 else Role.USER, text=words[(at + n) % len(words)])
            for n in range(length)
        ]
        branch.append(*new)
        for message in new[1::2]:
            reply = ReplyFactory.create(
                message=message, status=Status.COMPLETE, author=words[0][:100], input_tokens=at
            )
            ToolRunFactory.create(reply=reply, result=words[-1], permission=Permission.USED)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(shape=shapes, words=st.lists(texts, min_size=1, max_size=4), title=texts)
def test_round_trip(shape: list[tuple[int, int]], words: list[str], title: str) -> None:
    user, other = UserFactory.create(), UserFactory.create()
    own = {"system_prompt": title, "chat_model": "default/small"}
    first = ConversationFactory.create(user=user, title=title, pinned=True, tags=["a"], **own)
    grown(first, shape, words)
    data = written([first])
    assert read(other, data) == 1
    second = other.conversations.get()
    assert written([second]) == data
    assert second.messages.count() == first.messages.count()
    if shape:
        assert written([second], "markdown") == written([first], "markdown")
        assert written([second], "html") == written([first], "html")


def test_what_could_be_acted_on_arrives_settled() -> None:
    reply = ReplyFactory.create(status=Status.ASKING, message__text="half")
    ToolRunFactory.create(reply=reply, permission=Permission.ASKED)
    read(UserFactory.create(), written([reply.message.conversation]))
    copy = Reply.objects.latest("pk")
    assert copy.status == Status.STOPPED
    assert ToolRun.objects.latest("pk").permission == Permission.REFUSED


@pytest.fixture
def file() -> dict[str, Any]:
    conversation = ConversationFactory.create(title="Cheese")
    grown(conversation, [(0, 4), (2, 2)], ["Brie"])
    found: dict[str, Any] = json.loads(written([conversation]))
    return found


def change(file: dict[str, Any], path: str, value: Any) -> bytes:
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = file
    for part in way:
        place = place[part]
    place[last] = value
    return json.dumps(file).encode()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("format", "another", "$.format"),
        ("version", 3, "$.version"),
        ("conversations.0.title", "x" * 121, "$.conversations[0].title"),
        ("conversations.0.created_at", "2026-01-01T00:00:00", "$.conversations[0].created_at"),
        ("conversations.0.messages.1.place", 7, "Place 3 of branch 0 fits nowhere"),
        ("conversations.0.messages.0.branch", 9, "fits nowhere"),
        ("conversations.0.branches.1.parent", 1, "Branch 1 departs from nowhere"),
        ("conversations.0.branches.1.parent", None, "Branch 1 departs from nowhere"),
        ("conversations.0.messages.1.role", "user", "no answer"),
        ("conversations.0.messages.1.reply.status", "pending", "reply.status"),
        ("conversations.0.messages.0.text", "a\0b", "cannot be stored"),
        ("conversations.0.messages.0.text", "x" * 200_001, "$.conversations[0].messages[0].text"),
        # Pages could not show these in every time zone, nor the admin's list of everybody's.
        ("conversations.0.created_at", "0001-01-01T00:00:00+14:00", "conversations[0].created_at"),
        ("conversations.0.branches.0.shown_at", "9999-12-31T23:59:59Z", "branches[0].shown_at"),
        ("conversations.0.messages.1.reply.started_at", "9999-12-31T23:59:59-12:00", "started_at"),
    ],
)
def test_damaged_files_are_refused_whole(
    file: dict[str, Any], path: str, value: Any, words: str
) -> None:
    user = UserFactory.create()
    with pytest.raises(transfer.Refused) as refused:
        read(user, change(file, path, value))
    assert words in str(refused.value)
    assert not user.conversations.exists()


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b'{"format":"x"}', b"[" * 5000, NESTED])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(transfer.Refused):
        read(UserFactory.create(), data)


def test_nobody_elses_numbers_are_in_the_file(file: dict[str, Any]) -> None:
    text = json.dumps(file)
    assert str(Conversation.objects.get().pk) not in text
    assert "username" not in text


@pytest.mark.parametrize("name", transfer.FORMATS)
def test_memory_does_not_grow_with_the_messages(name: str) -> None:
    def peak(count: int) -> int:
        conversation = ConversationFactory.create()
        text = "x" * 1000
        conversation.shown_branch.append(
            *(
                Message(role=Role.USER, text=text, html=text, renderer=markdown.RENDERER)
                for _ in range(count)
            )
        )
        tracemalloc.start()
        for _ in transfer.FORMATS[name][0]([conversation]):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(2000) < 1.5 * peak(400)


def test_one_user_never_gets_more_than_their_own_file(file: dict[str, Any]) -> None:
    bob = UserFactory.create()
    assert json.loads(written(bob.conversations.all()))["conversations"] == []


def test_files_travel_with_their_messages() -> None:
    conversation = ConversationFactory.create()
    alice, bob = conversation.user, UserFactory.create()
    question, other = (MessageFactory.create(conversation=conversation) for _ in range(2))
    data = "Käse".encode("latin-1") * 100_000
    found = attachments.store(alice, SimpleUploadedFile("käse.csv", data))
    for message in (question, other):
        attachments.send(message, alice.pk, [found.pk])
    file = written([conversation])
    assert read(bob, file) == 1

    back = Attachment.objects.get(user=bob)
    assert (back.name, back.kind, back.size) == ("käse.csv", found.kind, len(data))
    with back.file.open() as stored:
        assert stored.read() == data
    assert back.created_at == found.created_at
    assert back.messages.count() == 2
    assert written(bob.conversations.all()) == file
    for name in ("markdown", "html"):
        assert "käse.csv" in written([conversation], name).decode()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"data": "UEsDBA=="}, "is an archive"),
        ({"messages": [7]}, "belongs to no message"),
        ({"messages": []}, "messages"),
        ({"data": "%"}, "data"),
    ],
)
def test_files_that_do_not_fit_are_refused(change: dict[str, Any], problem: str) -> None:
    message = MessageFactory.create()
    alice = message.conversation.user
    found = attachments.store(alice, SimpleUploadedFile("a.txt", b"text"))
    attachments.send(message, alice.pk, [found.pk])
    file = json.loads(written([message.conversation]))
    file["conversations"][0]["attachments"][0] |= change
    with pytest.raises(transfer.Refused, match=problem):
        read(UserFactory.create(), json.dumps(file).encode())
    assert Attachment.objects.count() == 1


def test_a_refused_file_leaves_none_of_those_before_it() -> None:
    """No row would name them, and none of them would count in what the user's files may take."""
    message = MessageFactory.create()
    alice = message.conversation.user
    found = attachments.store(alice, SimpleUploadedFile("a.txt", b"text"))
    attachments.send(message, alice.pk, [found.pk])
    file = json.loads(written([message.conversation]))
    files = file["conversations"][0]["attachments"]
    files.append(files[0] | {"data": "UEsDBA=="})
    before = stored_files()
    with pytest.raises(transfer.Refused, match="is an archive"):
        read(UserFactory.create(), json.dumps(file).encode())
    assert stored_files() == before


def stored_files() -> set[Path]:
    folder = Path(storages["attachments"].path(""))
    return {path for path in folder.rglob("*") if path.is_file()}


def test_an_export_of_before_there_were_files_is_read() -> None:
    file = json.loads(written([MessageFactory.create().conversation]))
    file["version"] = 1
    del file["conversations"][0]["attachments"]
    assert read(UserFactory.create(), json.dumps(file).encode()) == 1


@pytest.mark.parametrize("name", transfer.FORMATS)
def test_conversations_come_one_by_one_and_none_twice(
    name: str, monkeypatch: Any, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("conversations.transfer.trees.BATCH", 3)
    alice = UserFactory.create()
    for number in range(8):
        grown(ConversationFactory.create(user=alice, title=f"No. {number}!"), [(0, 2)], ["Brie"])
    own = alice.conversations.newest_first()
    with django_assert_max_num_queries(4 + 8 * 8):
        parts = transfer.FORMATS[name][0](transfer.one_by_one(own))
        first = next(parts) + next(parts)
        own.last().delete()  # while others are written
        own.filter(title="No. 3!").update(last_message_at=timezone.now())
        text = (first + b"".join(parts)).decode()
    found = [text.count(f"No. {number}!") for number in range(8)]
    assert found == [0, *[1] * 7]
    if name == "json":
        assert len(json.loads(text)["conversations"]) == 7


def test_a_conversation_deleted_meanwhile_ends_where_it_was() -> None:
    conversation = ConversationFactory.create()
    grown(conversation, [(0, 2)], ["Brie"])
    Conversation.objects.filter(pk=conversation.pk).delete()
    for name in ("markdown", "html"):
        assert b"Brie" not in written([conversation], name)


def imported(user: Any, data: bytes) -> Import:
    found = Import(user=user)
    found.file.save("", ContentFile(data), save=False)
    found.save()
    return found


def test_a_worker_that_died_in_the_middle_leaves_no_doubles(monkeypatch: Any) -> None:
    alice, bob = UserFactory.create(), UserFactory.create()
    for number in range(3):
        grown(ConversationFactory.create(user=alice, title=f"No. {number}"), [(0, 2)], ["Brie"])
    found = imported(bob, written(alice.conversations.order_by("pk")))
    take, taken = transfer.take, []

    def dies(*args: Any) -> Any:
        if len(taken) == 2:
            raise SystemExit
        taken.append(take(*args))
        return taken[-1]

    monkeypatch.setattr(transfer, "take", dies)
    with pytest.raises(SystemExit):
        importing.read(found.pk, enqueue_reading)
    assert bob.conversations.count() == 2
    monkeypatch.setattr(transfer, "take", take)
    Import.objects.filter(pk=found.pk).update(state_at=timezone.now() - PATIENCE * 2)
    importing.read(found.pk, enqueue_reading)
    found.refresh_from_db()
    assert (found.state, found.taken, found.already) == ("done", 1, 2)
    assert bob.conversations.count() == 3
    assert not found.file


def test_what_a_dead_worker_left_is_enqueued_once_in_its_time_and_read(
    file: dict[str, Any],
) -> None:
    found = imported(UserFactory.create(), json.dumps(file).encode())
    assert sweep_imports.func() == 0
    old = {"state": ImportState.READING, "state_at": timezone.now() - PATIENCE * 2, "tries": 1}
    Import.objects.filter(pk=found.pk).update(**old)
    assert sweep_imports.func() == 1
    assert sweep_imports.func() == 0  # not with every sweep
    importing.read(found.pk, enqueue_reading)
    found.refresh_from_db()
    assert (found.state, found.taken) == ("done", 1)


def test_what_an_import_tells_goes_after_a_month(file: dict[str, Any]) -> None:
    """Titles that it names and settings that it brought are nowhere else to be deleted."""
    old, new, stuck = (imported(UserFactory.create(), json.dumps(file).encode()) for _ in range(3))
    for one in (old, new):
        importing.read(one.pk, enqueue_reading)
    for one in (old, stuck):
        Import.objects.filter(pk=one.pk).update(state_at=timezone.now() - KEPT * 2)
    sweep_imports.func()
    assert set(Import.objects.all()) == {new, stuck}
    assert Conversation.objects.filter(user=old.user).exists()


def test_one_that_does_not_fit_costs_none_of_the_others(file: dict[str, Any]) -> None:
    file["conversations"].append(json.loads(json.dumps(file["conversations"][0])))
    file["conversations"][0]["messages"][0]["text"] = "a\0b"
    file["conversations"][0]["title"] = "Che\0ese"
    found = imported(UserFactory.create(), json.dumps(file).encode())
    importing.read(found.pk, enqueue_reading)
    found.refresh_from_db()
    assert (found.state, found.taken, found.refused) == ("done", 1, 1)
    assert found.report[0]["title"] == "Che ese"
    assert "cannot be stored" in found.report[0]["problem"]


def test_what_is_wrong_is_said_in_the_language_of_who_brought_it(file: dict[str, Any]) -> None:
    found = imported(UserFactory.create(), b'{"format": 1}')
    Import.objects.filter(pk=found.pk).update(language="de")
    importing.read(found.pk, enqueue_reading)
    found.refresh_from_db()
    assert found.state == "failed"
    assert "It does not hold" not in found.words
