"""What a browser holds: found unchanged without a query, and never shown after anything has changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import translation

from conversations import answering, sending, versions
from conversations.models import (
    Attachment,
    Conversation,
    Kind,
    Permission,
    Preferences,
    ReadingState,
    Role,
    Status,
)
from performance.cache import conversation_cache
from tests.factories import (
    PASSWORD,
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    ToolRunFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
HTMX = {"HX-Request": "true"}


class Reader:
    """A browser that keeps the ETag of every page."""

    def __init__(self, user: Any = None) -> None:
        self.client = Client()
        self.tags: dict[str, str] = {}
        if user:
            self.client.force_login(user)

    def get(self, url: str, **headers: str) -> HttpResponse:
        response: Any = self.client.get(url, headers=headers)
        if response.has_header("ETag"):
            self.tags[url] = response["ETag"]
        return response  # type: ignore[no-any-return]

    def again(self, url: str, **headers: str) -> int:
        """The status of asking for what it holds."""
        response: Any = self.client.get(url, headers={"If-None-Match": self.tags[url], **headers})
        return int(response.status_code)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """What is written inside is forgotten by the caches at its end, as by a commit."""

    def capture() -> Any:
        # The caches go first: what the fixtures left waiting would be taken for what is written here.
        connection.run_on_commit.clear()
        return django_capture_on_commit_callbacks(execute=True)

    return capture


@pytest.fixture
def alice() -> Any:
    return UserFactory(username="alice")


@pytest.fixture
def conversation(alice: Any) -> Conversation:
    """Sixty messages, each second one an answer."""
    made: Conversation = ConversationFactory(user=alice, title="Cheese")
    branch = made.shown_branch
    branch.append(*(MessageFactory.build(conversation=made, branch=branch) for _ in range(58)))
    MessageFactory(conversation=made, text="Brie?")
    answer = MessageFactory(conversation=made, role=Role.ASSISTANT, text="Yes.")
    ReplyFactory(message=answer, status=Status.COMPLETE, attempt=1)
    return made


@pytest.fixture
def reader(alice: Any, conversation: Conversation) -> Reader:
    return Reader(alice)


def pages(conversation: Conversation) -> list[str]:
    """Of which each shows something of the conversation."""
    own = conversation.get_absolute_url()
    first, last = (conversation.messages.order_by(key).first() for key in ("place", "-place"))
    assert first
    assert last
    return [
        "/",
        own,
        f"{own}?at={first.pk}",
        f"{own}messages/?before={last.pk}",
        f"{own}messages/?from=1",
        f"{own}messages/{last.pk}/",
        f"{own}look/?words=brie",
        "/search/?words=brie",
    ]


PUBLIC = ["/help/", "/help/first-steps/"]


def test_what_is_unchanged_is_not_sent_and_not_read(
    reader: Reader, conversation: Conversation, django_assert_num_queries: Any
) -> None:
    for url in [*pages(conversation), *PUBLIC]:
        first = reader.get(url)
        assert first.status_code == 200, url
        assert set(first["Cache-Control"].split(", ")) == {"private", "no-cache"}, url
        assert "Cookie" in first["Vary"], url
        with django_assert_num_queries(0):
            response: Any = reader.client.get(url, headers={"If-None-Match": reader.tags[url]})
        assert (response.status_code, response.content) == (304, b""), url
        assert response["ETag"] == reader.tags[url]
        assert set(response["Cache-Control"].split(", ")) == {"private", "no-cache"}
        assert "Cookie" in response["Vary"]


def test_it_costs_no_round_trip_to_redis(
    reader: Reader, conversation: Conversation, cache_redis: redis.Redis, queue_redis: redis.Redis
) -> None:
    """Nor does the list; a conversation asks the streams where it stands. The least of several:
    other tests run beside this one on the same servers."""

    def commands() -> int:
        return sum(one.info("stats")["total_commands_processed"] for one in servers)

    def cost(ask: Callable[[], Any]) -> int:
        found = []
        for _ in range(5):
            before = commands()
            ask()
            found.append(commands() - before - len(servers))
        return min(found)

    servers = (cache_redis, queue_redis)
    own = conversation.get_absolute_url()
    for url in ("/", own):
        reader.get(url), reader.get(url)
        assert cost(lambda url=url: reader.again(url)) == 0  # type: ignore[misc]
    assert cost(lambda: reader.get("/")) == 0
    assert cost(lambda: reader.get(own)) == 1


def send(conversation: Conversation) -> None:
    sending.send(conversation, "More", uuid.uuid4())


def rename(conversation: Conversation) -> None:
    conversation.rename("Wine")


def name_by_itself(conversation: Conversation) -> None:
    conversation.suggest_title("Wine")
    conversation_cache.forget(conversation.user_id, conversation.pk)


def ask_anew(conversation: Conversation) -> None:
    answering.again(conversation.messages.get(reply__isnull=False).reply)


def edit(conversation: Conversation) -> None:
    question = conversation.messages.get(text="Brie?")
    sending.edit(question, "Gouda?", uuid.uuid4())


def show_another_version(conversation: Conversation) -> None:
    message: Any = conversation.messages.order_by("place").first()
    versions.show(conversation, message.branch_id, message.place)


def delete(conversation: Conversation) -> None:
    conversation.delete()


def forget_all(conversation: Conversation) -> None:
    conversation_cache.clear()


@pytest.mark.parametrize(
    "change",
    [send, rename, name_by_itself, ask_anew, edit, show_another_version, delete, forget_all],
)
def test_after_a_change_nothing_that_was_held_is_right(
    reader: Reader,
    conversation: Conversation,
    change: Callable[[Conversation], None],
    committed: Any,
) -> None:
    urls = pages(conversation)
    for url in urls:
        reader.get(url)
        assert reader.again(url) == 304
    with committed():
        change(conversation)
    assert [url for url in urls if reader.again(url) == 304] == []


def test_a_change_elsewhere_leaves_the_parts_of_a_conversation(
    reader: Reader, conversation: Conversation, alice: Any, committed: Any
) -> None:
    urls = pages(conversation)
    for url in urls:
        reader.get(url)
    with committed():
        ConversationFactory(user=alice, title="another")
    kept = [url for url in urls if reader.again(url) == 304]
    assert kept == [url for url in urls if "/messages/" in url or "/look/" in url]


def test_what_others_write_changes_nothing(reader: Reader, committed: Any) -> None:
    reader.get("/")
    with committed():
        send(ConversationFactory())
    assert reader.again("/") == 304


def other_colours(reader: Reader, alice: Any) -> dict[str, str]:
    Preferences.objects.change(alice, theme="dark")
    return {}


def another_name(reader: Reader, alice: Any) -> dict[str, str]:
    alice.username = "alicia"
    alice.save()
    return {}


def another_token(reader: Reader, alice: Any) -> dict[str, str]:
    reader.client.cookies["csrftoken"] = "t" * 32
    return {}


def another_part_of_it(reader: Reader, alice: Any) -> dict[str, str]:
    return HTMX


@pytest.mark.parametrize("change", [other_colours, another_name, another_token, another_part_of_it])
def test_what_would_look_otherwise_is_sent(
    reader: Reader, alice: Any, change: Callable[[Reader, Any], dict[str, str]], committed: Any
) -> None:
    reader.get("/")
    assert reader.again("/") == 304
    with committed():
        headers = change(reader, alice)
    assert reader.again("/", **headers) == 200


def test_another_language_is_another_page(
    reader: Reader, conversation: Conversation, settings: Any
) -> None:
    urls = [*pages(conversation), *PUBLIC]
    for url in urls:
        reader.get(url)
    settings.LANGUAGE_CODE = "de"
    with translation.override("de"):
        assert [url for url in urls if reader.again(url, **{"Accept-Language": "de"}) == 304] == []


def test_after_a_sign_out_and_for_another_user_nothing_held_is_right(
    reader: Reader, conversation: Conversation, alice: Any
) -> None:
    urls = [*pages(conversation), *PUBLIC]
    for url in urls:
        reader.get(url)
    bob = Reader(UserFactory(username="bob"))
    bob.tags = reader.tags
    bob.client.cookies["csrftoken"] = reader.client.cookies["csrftoken"].value
    assert [url for url in urls if bob.again(url) == 304] == []
    reader.client.post("/accounts/logout/")
    assert [url for url in urls if reader.again(url) == 304] == []
    reader.client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert reader.get("/").status_code == 200
    assert [url for url in urls[1:] if reader.again(url) == 304] == [], "the token is another"


def test_a_user_who_is_deactivated_holds_nothing(
    reader: Reader, alice: Any, committed: Any
) -> None:
    reader.get("/search/?words=brie")
    with committed():
        alice.is_active = False
        alice.save()
    assert reader.again("/search/?words=brie") == 302


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.ASKING])
def test_what_moves_by_itself_is_not_held(
    reader: Reader, conversation: Conversation, status: Status
) -> None:
    reply = conversation.messages.get(reply__isnull=False).reply
    reply.status = status
    reply.save()
    own = conversation.get_absolute_url()
    for url in (own, f"{own}messages/?from=50", f"{own}messages/{reply.message_id}/"):
        response = reader.get(url)
        assert not response.has_header("ETag")
        assert "no-store" in response["Cache-Control"]


def test_a_file_that_is_being_read_is_not_held(
    reader: Reader, conversation: Conversation, alice: Any, committed: Any
) -> None:
    own = conversation.get_absolute_url()
    file = Attachment.objects.create(user=alice, name="a.txt", kind=Kind.TEXT, size=1, file="a")
    Attachment.objects.filter(pk=file.pk).update(conversation=conversation)
    file.messages.add(conversation.messages.get(text="Brie?"))
    response = reader.get(own)
    assert b"Waiting to be read" in response.content
    assert not response.has_header("ETag")
    with committed():
        file.end(ReadingState.READY)
    response = reader.get(own)
    assert b"Waiting to be read" not in response.content
    assert response.has_header("ETag")


def test_a_form_with_a_token_is_not_held(reader: Reader, conversation: Conversation) -> None:
    reply = conversation.messages.get(reply__isnull=False).reply
    ToolRunFactory(reply=reply, permission=Permission.ASKED)
    assert not reader.get(conversation.get_absolute_url()).has_header("ETag")


def test_what_is_said_once_is_said_once(reader: Reader) -> None:
    reader.get("/")
    answer: Any = reader.client.post("/settings/assistant/", {"system_prompt": ""})  # as it was
    assert answer.status_code == 303, answer.content
    told: Any = reader.client.get("/", headers={"If-None-Match": reader.tags["/"]})
    assert b"Your instructions hold" in told.content
    assert not told.has_header("ETag")
    assert b"Your instructions hold" not in reader.get("/").content
    assert reader.again("/") == 304


def test_with_the_cache_off_nothing_is_held(
    reader: Reader, conversation: Conversation, settings: Any
) -> None:
    reader.get("/")
    settings.PERFORMANCE = {"CACHE": {"ENABLED": False}}
    assert reader.again("/") == 200
    for url in pages(conversation):
        response = reader.get(url)
        assert not response.has_header("ETag")
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["", "rename/", "delete/", "export/"])
def test_what_is_not_found_or_is_a_form_has_none(
    reader: Reader, conversation: Conversation, path: str
) -> None:
    own = conversation.get_absolute_url()
    url = f"{own}{path}" if path else f"/c/{uuid.uuid4()}/"
    response = reader.get(url)
    assert not response.has_header("ETag")
    assert "no-store" in response.get("Cache-Control", "no-store")


def test_a_visitors_pages(conversation: Conversation) -> None:
    visitor = Reader()
    for url in ["/", *PUBLIC]:
        visitor.get(url)
        visitor.get(url)
        assert visitor.again(url) == 304
        assert b"Cheese" not in visitor.get(url).content
