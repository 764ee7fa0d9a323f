from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from conversations import answering, streams, versions
from conversations.forms import ENCODING, KEY_REUSED
from conversations.models import Branch, Conversation, Message, Reply, Role, Status
from performance.cache import conversation_cache
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory, ToolRunFactory

HTMX = {"HX-Request": "true"}
KEY = uuid.UUID("00000000-0000-4000-8000-000000000002")
FORM = "application/x-www-form-urlencoded"


def test_a_visitor_reads_what_this_is_and_can_sign_up(db: None) -> None:
    page = Client().get("/")
    assert page.status_code == 200
    assert b'href="/accounts/signup/"' in page.content


def test_the_list_shows_own_conversations_newest_first(client: Client, alice: Any) -> None:
    for title in ("first", "second"):
        ConversationFactory.create(user=alice, title=title)
    ConversationFactory.create(title="of somebody else")
    text = client.get("/").content.decode()
    assert text.index(">second<") < text.index(">first<")
    assert "of somebody else" not in text


def test_an_empty_list_says_so(client: Client) -> None:
    assert b"Nothing here yet" in client.get("/").content


def test_the_list_takes_one_query_and_the_user_one(
    client: Client, alice: Any, django_assert_num_queries: Any
) -> None:
    ConversationFactory.create_batch(40, user=alice)
    with django_assert_num_queries(2):
        client.get("/")


def test_show_more_brings_the_rest(client: Client, alice: Any) -> None:
    ConversationFactory.create_batch(35, user=alice)
    first = client.get("/")
    cursor = first.context["page"].next
    page = client.get("/", {"conversations": cursor})
    rows = client.get("/", {"conversations": cursor}, headers=HTMX)
    assert len(page.context["page"].rows) == len(rows.context["page"].rows) == 5
    assert b"<html" not in rows.content
    assert "HX-Request" in rows["Vary"]


def test_a_first_message_begins_a_conversation(client: Client, alice: Any) -> None:
    response = client.post("/", {"text": "What is Brie?", "key": KEY})
    conversation = alice.conversations.get()
    assert response.status_code == 303
    assert response["Location"] == f"/c/{conversation.pk}/"
    assert [message.text for message in conversation.messages.order_by("pk")] == [
        "What is Brie?",
        "",
    ]


def test_sent_twice_it_begins_one_conversation(client: Client) -> None:
    answers = [client.post("/", {"text": "What is Brie?", "key": KEY}) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Conversation.objects.count() == 1


def test_a_used_form_with_another_text_is_refused_with_a_fresh_key(client: Client) -> None:
    client.post("/", {"text": "What is Brie?", "key": KEY})
    response = client.post("/", {"text": "What is Gouda?", "key": KEY})
    assert response.status_code == 422
    assert str(KEY_REUSED) in response.content.decode()
    assert "What is Gouda?</textarea>" in response.content.decode()
    assert response.context["key"] != KEY


def test_scripts_are_told_where_to_go(client: Client, alice: Any) -> None:
    response = client.post("/", {"text": "What is Brie?", "key": KEY}, headers=HTMX)
    assert response.status_code == 201
    assert response["HX-Redirect"] == f"/c/{alice.conversations.get().pk}/"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write a message first."),
        ("x" * 1_000_000, "32000 are allowed"),
        ("Brie\0Gouda", "NUL"),
    ],
    ids=["empty", "1 MB", "NUL"],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_bad_input_is_named_kept_and_not_stored(
    client: Client, text: str, words: str, headers: dict[str, str]
) -> None:
    response = client.post("/", {"text": text, "key": KEY}, headers=headers)
    assert response.status_code == 422
    assert words in response.content.decode()
    if not headers:
        assert f"{text.replace(chr(0), '')}</textarea>" in response.content.decode()
    assert not Conversation.objects.exists()


def test_bytes_that_are_not_utf8_are_refused(client: Client) -> None:
    body = f"key={KEY}&text=caf%E9"
    response = client.post("/", body, content_type=FORM)
    assert response.status_code == 422
    assert str(ENCODING) in response.content.decode()
    assert not Conversation.objects.exists()


def test_a_replacement_character_that_was_typed_is_fine(client: Client) -> None:
    body = f"key={KEY}&text=caf%EF%BF%BD"
    assert client.post("/", body, content_type=FORM).status_code == 303


def test_a_signed_out_user_keeps_the_text(db: None) -> None:
    response = Client().post("/", {"text": "What is Brie?", "key": KEY})
    assert response.status_code == 401
    assert "What is Brie?</textarea>" in response.content.decode()
    assert Client().post("/", {"text": "x"}, headers=HTMX).status_code == 401
    assert not Conversation.objects.exists()


def test_the_page_shows_each_state_of_a_reply(client: Client, conversation: Conversation) -> None:
    words = {
        Status.PENDING: "Waiting for the assistant",
        Status.RUNNING: "Thinking",
        Status.ASKING: "Waiting for your permission",
        Status.STOPPED: "You stopped this answer",
        Status.FAILED: "The model is away.",
    }
    for status in words:
        ReplyFactory.create(
            message__conversation=conversation, status=status, explanation="The model is away."
        )
    text = client.get(conversation.get_absolute_url()).content.decode()
    for sentence in words.values():
        assert sentence in text
    assert text.count("/stop/") == 3
    assert text.count("Try again</button>") == 2


def test_a_tool_run_is_shown_with_what_it_was_asked_and_said(
    client: Client, conversation: Conversation
) -> None:
    reply = ReplyFactory.create(
        message__conversation=conversation, status=Status.COMPLETE, attempt=2
    )
    ToolRunFactory.create(reply=reply, attempt=1, name="of the first attempt")
    ToolRunFactory.create(
        reply=reply, attempt=2, name="calculate", result='{"value":"2"}', milliseconds=7
    )
    text = client.get(conversation.get_absolute_url()).content.decode()
    assert "calculate" in text
    assert "&quot;expression&quot;: &quot;1+1&quot;" in text
    assert "7 ms" in text
    assert "of the first attempt" not in text


@pytest.fixture
def forked(conversation: Conversation) -> Message:
    """The eighth message of a conversation of which nine have another version."""
    messages = [Message(role=Role.USER, html="<p>Hello</p>") for _ in range(60)]
    conversation.shown_branch.append(*messages)
    for message in messages[5:50:5]:
        answering.again(ReplyFactory.create(message=message, status=Status.COMPLETE))
    versions.show(conversation, messages[50].branch_id, 51)
    return messages[7]


@pytest.mark.parametrize(("kind", "queries"), [("", 5), ("at", 5), ("before", 5), ("after", 5)])
def test_a_page_takes_as_many_queries_however_many_versions_there_are(
    client: Client, forked: Message, kind: str, queries: int, django_assert_num_queries: Any
) -> None:
    conversation_cache.clear()
    with django_assert_num_queries(queries):  # user, conversation, messages, tool runs, list
        client.get(f"/c/{forked.conversation_id}/", {kind: forked.pk} if kind else {})


def test_a_part_of_a_page_takes_four(
    client: Client, forked: Message, django_assert_num_queries: Any
) -> None:
    conversation_cache.clear()
    with django_assert_num_queries(4):  # user, conversation, messages, tool runs
        client.get(f"/c/{forked.conversation_id}/messages/", {"from": 8})


def test_a_conversation_goes_with_all_its_versions(client: Client, forked: Message) -> None:
    client.post(f"/c/{forked.conversation_id}/delete/")
    assert not Message.objects.exists()
    assert not Branch.objects.exists()


@pytest.mark.parametrize("query", [{"from": "9" * 18}, {"from": "60"}])
def test_a_place_after_the_end_is_an_empty_part(
    client: Client, conversation: Conversation, query: dict[str, str]
) -> None:
    MessageFactory.create(conversation=conversation)
    response = client.get(f"/c/{conversation.pk}/messages/", query)
    assert response.status_code == 200
    assert "<article" not in response.content.decode()


@pytest.mark.parametrize("exchanges", [1, 30])
def test_a_page_takes_as_many_queries_whatever_its_length(
    client: Client, conversation: Conversation, exchanges: int, django_assert_num_queries: Any
) -> None:
    for _ in range(exchanges):
        MessageFactory.create(conversation=conversation)
        reply = ReplyFactory.create(message__conversation=conversation, status=Status.RUNNING)
        ToolRunFactory.create(reply=reply)
    with django_assert_num_queries(5):  # user, conversation, messages, tool runs, list
        client.get(conversation.get_absolute_url())
    with django_assert_num_queries(0):
        client.get(conversation.get_absolute_url())


def test_a_running_reply_is_followed_from_its_first_event(
    client: Client, conversation: Conversation
) -> None:
    reply = ReplyFactory.create(
        message__conversation=conversation, status=Status.RUNNING, stream_start="17-3"
    )
    streams.announce(conversation.pk, "title", t="Cheese")
    assert followed(client, conversation) == "17-3"
    Reply.objects.filter(pk=reply.pk).update(status=Status.PENDING)
    conversation_cache.clear()
    assert followed(client, conversation) == streams.last_event_id(conversation.pk)


def followed(client: Client, conversation: Conversation) -> str:
    """After which event the conversation's page follows."""
    page = client.get(conversation.get_absolute_url()).content.decode()
    return page.partition('data-after="')[2].partition('"')[0]


def say(conversation: Conversation, kind: str, **data: Any) -> str:
    assert streams.announce(conversation.pk, kind, **data)
    return streams.last_event_id(conversation.pk)


@pytest.mark.parametrize("known", ["running", "still waiting"])
def test_a_reply_that_no_checkpoint_has_placed_is_followed_from_its_first_event(
    client: Client, conversation: Conversation, known: str
) -> None:
    """All that it will say may have been said; a page that is kept may not even know that it runs."""
    attempt, status = (2, Status.RUNNING) if known == "running" else (1, Status.PENDING)
    reply = ReplyFactory.create(
        message__conversation=conversation, attempt=attempt, status=status, stream_start=""
    )
    number = reply.message_id
    say(conversation, "begin", m=number, a=1, c="")
    newest = say(conversation, "begin", m=number + 1, a=2, c="")
    assert followed(client, conversation) == newest

    begun = say(conversation, "begin", m=number, a=2, c="")
    say(conversation, "text", m=number, a=2, o=0, t="Brie.")

    assert followed(client, conversation) == begun


def test_versions_that_are_written_at_once_are_followed_from_the_first_of_them(
    client: Client, conversation: Conversation
) -> None:
    first = ReplyFactory.create(message__conversation=conversation, attempt=1, status="running")
    begun = say(conversation, "begin", m=first.message_id, a=1, c="")
    start = say(conversation, "begin", m=0, a=1, c="")
    ReplyFactory.create(
        message__conversation=conversation, attempt=1, status="running", stream_start=start
    )
    assert followed(client, conversation) == begun


def test_earlier_messages_have_a_page(client: Client, conversation: Conversation) -> None:
    messages = MessageFactory.create_batch(60, conversation=conversation)
    newest = client.get(conversation.get_absolute_url())
    address = f"{conversation.get_absolute_url()}?before={messages[10].pk}"
    assert f'href="{address}"' in newest.content.decode()
    assert len(client.get(address).context["messages_page"].rows) == 10


def test_of_others_there_is_nothing(charlie: Client, conversation: Conversation) -> None:
    for part in ("", "rename/", "delete/"):
        assert charlie.get(f"{conversation.get_absolute_url()}{part}").status_code == 404
    assert charlie.post(f"{conversation.get_absolute_url()}delete/").status_code == 404
    assert Conversation.objects.filter(pk=conversation.pk).exists()


@pytest.mark.parametrize("pk", [uuid.uuid4(), "nonsense"])
def test_a_wrong_address_is_not_found(client: Client, pk: object) -> None:
    assert client.get(f"/c/{pk}/").status_code == 404


def test_rename(client: Client, conversation: Conversation) -> None:
    response = client.post(f"/c/{conversation.pk}/rename/", {"title": "Soft cheese"})
    assert response.status_code == 303
    conversation.refresh_from_db()
    assert conversation.title == "Soft cheese"


def test_a_name_that_cannot_be_is_shown_again(client: Client, conversation: Conversation) -> None:
    response = client.post(f"/c/{conversation.pk}/rename/", {"title": "x" * 121})
    assert response.status_code == 422
    assert f'value="{"x" * 121}"' in response.content.decode()
    assert "120 are allowed" in response.content.decode()


def test_delete_asks_first(client: Client, conversation: Conversation) -> None:
    MessageFactory.create(conversation=conversation)
    address = f"/c/{conversation.pk}/delete/"
    assert "cannot be undone" in client.get(address).content.decode()
    assert Conversation.objects.exists()
    assert client.post(address).status_code == 303
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_text_of_a_title_is_no_markup(client: Client, alice: Any) -> None:
    ConversationFactory.create(user=alice, title="<script>alert(1)</script>")
    assert b"<script>alert" not in client.get("/").content


def test_a_temporary_conversation_ends_with_the_next(client: Client, alice: Any) -> None:
    kept = ConversationFactory.create(user=alice)
    assert 'id="leave"' not in client.get(kept.get_absolute_url()).content.decode()
    temporary = ConversationFactory.create(user=alice, temporary=True)
    page = client.get(temporary.get_absolute_url()).content.decode()
    assert f'id="leave" method="post" action="/c/{temporary.pk}/delete/"' in page
    assert "Deleted when you end it or begin a new one from here." in page
    assert client.post(f"/c/{temporary.pk}/delete/").headers["Location"] == "/"
    assert list(alice.conversations.all()) == [kept]
