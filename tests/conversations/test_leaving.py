"""After an account is deleted, nothing of it is anywhere: not in a table, not in either Redis."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import cache, caches
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from conversations import erasing, leaving, support, tasks
from conversations.models import (
    AccountDeletion,
    Attachment,
    Conversation,
    Import,
    Message,
    Preferences,
    Rating,
    Reply,
    Role,
    SearchEntry,
    Status,
    Verdict,
)
from conversations.models.account_deletions import SILENCE
from performance.cache import ToolCall, ai_response_cache, tool_result_cache
from tests.factories import (
    PASSWORD,
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    ToolRunFactory,
    UserFactory,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("cache_redis", "queue_redis"),
]

CANARY = f"canary{uuid.uuid4().hex[:12]}"
PAGE = "/settings/delete/"
ALIASES = ("default", "conversations", "ai_responses", "tool_results")


@pytest.fixture
def alice() -> Any:
    """With something in every corner of the site."""
    user = UserFactory.create(username=CANARY, email=f"{CANARY}@example.org")
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    Preferences.objects.change(user, system_prompt=CANARY)
    conversation = ConversationFactory.create(
        user=user, title=CANARY, tags=[CANARY], system_prompt=CANARY
    )
    MessageFactory.create(conversation=conversation, text=CANARY)
    reply = ReplyFactory.create(
        message__conversation=conversation,
        message__text=CANARY,
        message__html=CANARY,
        status=Status.COMPLETE,
        explanation=CANARY,
    )
    ToolRunFactory.create(reply=reply, arguments=CANARY, result=CANARY)
    other = conversation.branches.create(parent=conversation.shown_branch, fork=1)
    MessageFactory.create(conversation=conversation, branch=other, place=2, text=CANARY)
    Rating.objects.create(
        message=reply.message,
        user=user,
        attempt=1,
        verdict=Verdict.UP,
        comment=CANARY,
        texts_sent=True,
        question=CANARY,
        answer=CANARY,
        backend="guide",
    )
    attachment = Attachment.objects.create(
        user=user,
        conversation=conversation,
        name=CANARY,
        kind="text",
        media_type="text/plain",
        size=9,
        file=ContentFile(CANARY.encode(), CANARY),
    )
    attachment.messages.add(reply.message)
    Import.objects.create(
        user=user, report=[{"title": CANARY}], file=ContentFile(CANARY.encode(), CANARY)
    )
    attachment.pages.create(number=1, text=CANARY)
    support.note_reading(support.consent(user, conversation, 1), conversation, UserFactory.create())
    LogEntry.objects.create(
        user=UserFactory.create(is_staff=True),
        content_type=ContentType.objects.get_for_model(type(user)),
        object_id=str(user.pk),
        object_repr=CANARY,
        action_flag=ADDITION,
    )
    return user


@pytest.fixture
def client(alice: Any) -> Client:
    """Has read pages, so that caches hold them; has a link, and a second session elsewhere."""
    client = Client()
    client.force_login(alice)
    Client().force_login(alice)
    pk = alice.conversations.get().pk
    for page in ("/", f"/c/{pk}/", f"/c/{pk}/share/", "/settings/", f"/search/?words={CANARY}"):
        assert client.get(page).status_code == 200
    form = re.findall(
        r'name="(snapshot|key)" value="([^"]+)"', client.get(f"/c/{pk}/share/").content.decode()
    )
    shared = client.post(f"/c/{pk}/share/", {**dict(form), "days": "7"}).content.decode()
    path = re.findall(r'value="http://[^/]+(/s/[^"]+)"', shared)[0]
    assert CANARY in Client().get(path).content.decode()
    client.shared = path  # type: ignore[attr-defined]
    ai_response_cache.set(
        "question", {"text": CANARY}, user=alice.pk, complete=True, deterministic=True
    )
    call = ToolCall("search", 1, {"words": CANARY}, user=alice.pk)
    tool_result_cache.set(call, CANARY, ttl=100)
    return client


def tables() -> Iterator[tuple[str, str]]:
    """Every table of every app, and all of its rows as text."""
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{name}" t')
            yield name, cursor.fetchone()[0] or ""


def stored() -> Iterator[tuple[str, str]]:
    """Every key of both Redis with what it holds; values of our caches as Django reads them."""
    for alias in ALIASES:
        for key in caches[alias].iter_keys("*"):
            yield f"{alias} {key}", repr(caches[alias].get(key))
    for url in (settings.CACHE_URL, settings.QUEUE_URL):
        with redis.Redis.from_url(url) as server:
            for key in server.scan_iter():
                yield key.decode(), repr(server.dump(key))


def places() -> list[str]:
    """Where the canary is found; what PostgreSQL or a decoded value says, and names of keys."""
    return [name for name, held in (*tables(), *stored()) if CANARY in f"{name} {held}"]


def leave(client: Client, **changes: str) -> Any:
    return client.post(PAGE, {"name": CANARY, "password": PASSWORD} | changes)


def finish() -> None:
    while _work():
        pass


def _work() -> bool:
    """One run of the one deletion; whether there is more to do."""
    return erasing.run(AccountDeletion.objects.get().pk)


def test_nothing_is_left_anywhere(client: Client, alice: Any, caplog: Any) -> None:
    files = [alice.attachments.get().file, alice.imports.get().file]
    kept = [(file.storage, file.name) for file in files]
    assert all(storage.exists(name) for storage, name in kept)
    before = places()
    for corner in ("conversations_message", "conversations_rating", "account_emailaddress"):
        assert corner in before
    assert any(name.startswith("conversations conversation_page") for name in before), before
    assert any(name.startswith("ai_responses ") for name in before)
    assert any(name.startswith("tool_results ") for name in before)

    assert leave(client).status_code == 303
    finish()
    assert places() == []
    assert not any(storage.exists(name) for storage, name in kept)
    assert not Session.objects.exists()
    assert not SearchEntry.objects.exists()
    assert not type(alice).objects.filter(pk=alice.pk).exists()
    assert CANARY not in caplog.text.replace(f"/search/?words={CANARY}", "")
    (deletion,) = AccountDeletion.objects.all()
    assert deletion.finished_at
    assert (deletion.total, deletion.left) == (1, 0)


def test_no_table_refers_to_the_user_any_more(client: Client, alice: Any) -> None:
    leave(client)
    finish()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model is type(alice):
                left = model._default_manager.filter(**{field.attname: alice.pk})
                assert not left.exists(), f"{model._meta.label}.{field.name}"


def test_the_account_is_closed_at_once(client: Client, alice: Any) -> None:
    response = leave(client)
    state = response.headers["Location"]
    page = Client().get(state).content.decode()
    assert "0 of 1 conversation is erased" in page
    assert CANARY not in page
    assert client.get("/settings/privacy/").status_code == 302
    assert not client.login(username=CANARY, password=PASSWORD)
    assert Client().get(client.shared).status_code == 404  # type: ignore[attr-defined]
    finish()
    assert "Everything in it is gone" in Client().get(state).content.decode()
    assert Client().get("/deleted/x:y:z/").status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "somebody"}, "letter by letter"),
        ({"name": ""}, "Type your user name"),
        ({"password": "wrong"}, "not your password"),
        ({"password": ""}, "Give your password"),
    ],
)
def test_it_wants_the_name_and_the_password(
    client: Client, alice: Any, changes: dict[str, str], words: str
) -> None:
    response = leave(client, **changes)
    assert response.status_code == 422
    assert words in response.content.decode()
    alice.refresh_from_db()
    assert alice.is_active


def test_the_page_says_what_goes_and_offers_the_export(client: Client) -> None:
    page = client.get(PAGE).content.decode()
    assert "your 1 conversation," in page
    assert "/transfer/?format=json" in page


def test_answers_stop_and_are_waited_for(client: Client, alice: Any) -> None:
    conversation = alice.conversations.get()
    waiting = ReplyFactory.create(message__conversation=conversation)
    running = ReplyFactory.create(
        message__conversation=conversation,
        status=Status.RUNNING,
        attempt=1,
        beat_at=timezone.now(),
    )
    leave(client)
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert waiting.status == Status.STOPPED
    assert running.stop_requested
    with redis.Redis.from_url(settings.QUEUE_URL) as server:
        assert server.exists(f"stop:{running.message_id}:1")
    assert _work()  # not yet
    assert alice.conversations.exists()
    Reply.objects.filter(pk=running.pk).update(status=Status.STOPPED)
    finish()
    assert not Conversation.objects.exists()


def test_it_goes_on_after_the_death_of_a_worker(
    client: Client, alice: Any, monkeypatch: Any
) -> None:
    for _ in range(5):
        MessageFactory.create(conversation=ConversationFactory.create(user=alice), text=CANARY)
    monkeypatch.setattr(erasing, "CONVERSATIONS", 2)
    leave(client)
    real, calls = erasing.streams.forget, []

    def dies(pk: Any) -> bool:
        calls.append(pk)
        if len(calls) == 3:
            raise SystemExit
        return real(pk)

    monkeypatch.setattr(erasing.streams, "forget", dies)
    with pytest.raises(SystemExit):
        _work()
    assert alice.conversations.count() == 2
    assert tasks.sweep_deletions.func() == 0  # the dead one's claim holds for a minute
    assert not _work()
    long_ago = timezone.now() - 2 * SILENCE
    AccountDeletion.objects.update(beat_at=long_ago)
    finish()
    assert places() == []


def test_a_run_is_short_and_says_how_far_it_is(
    client: Client, alice: Any, monkeypatch: Any
) -> None:
    for _ in range(9):
        ConversationFactory.create(user=alice)
    monkeypatch.setattr(erasing, "CONVERSATIONS", 3)
    leave(client)
    deletion = AccountDeletion.objects.get()
    clock = iter([0, *[1] * 6, *[100] * 99])
    monkeypatch.setattr(erasing, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    assert erasing.run(deletion.pk)
    deletion.refresh_from_db()
    assert 0 < deletion.left < deletion.total == 10
    assert deletion.beat_at is None


def test_the_statements_do_not_grow_with_the_messages(
    alice: Any, django_assert_max_num_queries: Any
) -> None:
    conversation = alice.conversations.get()
    conversation.shown_branch.append(*(Message(role=Role.USER, text="x") for _ in range(450)))
    deletion = AccountDeletion.objects.create(user_number=alice.pk, by_number=alice.pk, total=1)
    with django_assert_max_num_queries(120):
        erasing.run(deletion.pk)
    assert not Message.objects.exists()


@pytest.fixture
def root() -> Any:
    return UserFactory.create(username="root", is_staff=True, is_superuser=True)


def test_the_last_administrator_stays(root: Any) -> None:
    client = Client()
    client.force_login(root)
    assert "last administrator" in client.get(PAGE).content.decode()
    response = client.post(PAGE, {"name": "root", "password": PASSWORD})
    assert response.status_code == 422
    url = f"/admin/auth/user/{root.pk}/delete/"
    client.post(url, {"post": "yes"})
    root.refresh_from_db()
    assert root.is_active
    UserFactory.create(is_superuser=True, is_active=False)
    with pytest.raises(leaving.LastAdministrator):
        leaving.leave(root, by=root)
    UserFactory.create(is_superuser=True)
    assert leaving.leave(root, by=root)


def test_staff_delete_an_account_the_same_way(client: Client, alice: Any, root: Any) -> None:
    staff = Client()
    staff.force_login(root)
    url = f"/admin/auth/user/{alice.pk}/delete/"
    page = staff.get(url).content.decode()
    assert "with everything that is theirs" in page
    assert staff.post(url, {"post": "yes"}).status_code == 302
    alice.refresh_from_db()
    assert not alice.is_active
    finish()
    assert places() == []
    assert AccountDeletion.objects.get().by_number == root.pk


def test_others_keep_theirs(client: Client, alice: Any) -> None:
    bob = UserFactory.create()
    other = Client()
    other.force_login(bob)
    kept = ConversationFactory.create(user=bob)
    MessageFactory.create(conversation=kept, text="mine")
    assert other.get(f"/c/{kept.pk}/").status_code == 200
    cache.set("theirs", 1)
    leave(client)
    finish()
    assert other.get("/settings/privacy/").status_code == 200
    assert list(Message.objects.values_list("text", flat=True)) == ["mine"]
    assert cache.get("theirs") == 1
