"""Pages that were rendered for an earlier request: the same for their reader, with a token and key of their own."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client

from conversations import prepared, streams
from conversations.models import Conversation, Preferences, Role, Status
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory, UserFactory
from tests.integration.stale.processes import OtherProcess

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]

OWN = re.compile(r'(name="(?:csrfmiddlewaretoken|key)"[^>]*? value=|data-after=)"[^"]*"')


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory(title='<Cheese> & "wine"')
    MessageFactory(conversation=made, text="Brie?")
    answer = MessageFactory(conversation=made, role=Role.ASSISTANT, text="Yes.")
    ReplyFactory(message=answer, status=Status.COMPLETE, attempt=1)
    return made


@pytest.fixture
def client(conversation: Conversation) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(conversation.user)
    return client


def text(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def field(html: str, name: str) -> set[str]:
    return set(re.findall(rf'name="{name}"[^>]* value="([^"]*)"', html))


@pytest.fixture
def urls(conversation: Conversation) -> list[str]:
    return ["/", conversation.get_absolute_url()]


def test_it_is_the_page_that_would_be_rendered(
    client: Client, urls: list[str], settings: Any
) -> None:
    for url in urls:
        first, again = text(client, url), text(client, url)
        settings.PERFORMANCE = {"CACHE": {"ENABLED": False}}
        without = text(client, url)
        del settings.PERFORMANCE
        assert OWN.sub(r"\1", first) == OWN.sub(r"\1", again) == OWN.sub(r"\1", without)
        assert "&lt;Cheese&gt; &amp;" in again
        assert "\0" not in first + again


def test_it_is_rendered_once(
    client: Client, urls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in urls:
        text(client, url)
    monkeypatch.setattr(prepared, "render_to_string", lambda *_: pytest.fail("again"))
    assert [client.get(url).status_code for url in urls] == [200, 200]


def test_it_is_sent_as_it_is_kept(
    client: Client, urls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compressed once; for who takes no gzip, unpacked."""
    for url in urls:
        text(client, url)
    monkeypatch.setattr(
        "django.middleware.gzip.compress_string", lambda *_, **__: pytest.fail("again")
    )
    for url in urls:
        packed = client.get(url, headers={"Accept-Encoding": "gzip"})
        assert packed["Content-Encoding"] == "gzip"
        assert int(packed["Content-Length"]) == len(packed.content)
        found = gzip.decompress(packed.content).decode()
        assert OWN.sub(r"\1", found) == OWN.sub(r"\1", text(client, url))


def test_parts_of_pages_are_kept_too(
    client: Client, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [f"{conversation.get_absolute_url()}messages/?from=1", "/?conversations="]
    htmx = {"HX-Request": "true"}
    first = [client.get(url, headers=htmx).content for url in parts]
    assert b"Brie?" in first[0]
    assert b"&lt;Cheese&gt;" in first[1]
    monkeypatch.setattr(prepared, "render_to_string", lambda *_: pytest.fail("again"))
    assert [client.get(url, headers=htmx).content for url in parts] == first


PUBLIC = ["/", "/help/", "/help/guide/", "/settings/", "/nowhere/"]


def visitors(*names: str) -> list[Client]:
    """Who are signed in, and last one who is not."""
    clients = [Client() for _ in range(len(names) + 1)]
    for name, client in zip(names, clients, strict=False):
        client.force_login(UserFactory(username=name))
    return clients


def test_what_is_the_same_for_everybody_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob, visitor = visitors("alice", "bob")
    for url in PUBLIC:
        asking = [visitor] if url == "/" else [alice, visitor]
        for client in asking:
            text(client, url)
    monkeypatch.setattr(prepared, "render_to_string", lambda *_: pytest.fail("again"))
    for url in PUBLIC:
        text(visitor, url), text(Client(), url)
        if url != "/":
            assert OWN.sub(r"\1", text(bob, url)) == OWN.sub(r"\1", text(alice, url))
    assert 'href="/accounts/login/"' not in text(alice, "/nowhere/")
    assert 'href="/accounts/login/"' in text(visitor, "/nowhere/")


def test_and_still_in_the_colours_and_the_language_of_each() -> None:
    alice, visitor = visitors("alice")
    for url in PUBLIC[1:]:
        text(visitor, url), text(alice, url)
        Preferences.objects.change(User.objects.get(username="alice"), theme="dark")
        assert 'data-theme="dark"' in text(alice, url)
        Preferences.objects.change(User.objects.get(username="alice"), theme="")
        assert "data-theme=" not in text(alice, url)
        german = visitor.get(url, headers={"Accept-Language": "de"}).content.decode()
        assert 'lang="de"' in german
        assert 'lang="en"' in text(visitor, url)[:200]


@pytest.mark.parametrize("url", ["/nowhere/", "/nowhere/?a=1"])
def test_a_page_without_a_form_sets_no_cookie(url: str) -> None:
    """Browsers ask for icons and the like by themselves: another token would spoil the form of their page."""
    for _ in range(2):
        assert not Client().get(url).cookies


def test_addresses_without_end_are_not_kept() -> None:
    visitor = Client()
    text(visitor, "/nowhere/")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared, "render_to_string", lambda *_: pytest.fail("again"))
        assert visitor.get("/elsewhere/").status_code == 404
        assert visitor.get("/nowhere/?a=1").status_code == 404
        patch.setattr(prepared.conversation_cache, "set", lambda *_: pytest.fail("kept"))
        patch.setattr(prepared, "render_to_string", lambda *_: "<p>made for this query</p>")
        assert "for this query" in text(visitor, "/help/?a=1")


def test_its_forms_can_be_sent_each_once(
    client: Client, urls: list[str], conversation: Conversation
) -> None:
    for url in urls:
        first, again = text(client, url), text(client, url)
        assert len(field(again, "key")) == len(field(again, "csrfmiddlewaretoken")) == 1
        assert field(first, "key") != field(again, "key")
        (token,), (key,) = field(again, "csrfmiddlewaretoken"), field(again, "key")
        data = {"text": "More?", "key": key, "csrfmiddlewaretoken": token}
        where = url if url == "/" else f"{url}messages/"
        assert client.post(where, data).status_code == 303
        refused = client.post(where, data | {"csrfmiddlewaretoken": "x" * 64})
        assert refused.status_code == 403


def test_the_token_is_that_of_the_browser_that_asks(
    client: Client, conversation: Conversation
) -> None:
    """Two browsers of one user share the page and not the token."""
    other = Client(enforce_csrf_checks=True)
    other.force_login(conversation.user)
    text(client, "/")
    (token,) = field(text(other, "/"), "csrfmiddlewaretoken")
    data = {"text": "More?", "csrfmiddlewaretoken": token}
    assert client.post("/", data).status_code == 403
    assert other.post("/", data).status_code == 303


def test_what_was_typed_is_nobody_elses_page(client: Client, urls: list[str]) -> None:
    token = field(text(client, "/"), "csrfmiddlewaretoken").pop()
    data = {"text": "x" * 40_000, "key": "", "csrfmiddlewaretoken": token}
    for url in urls:
        where = url if url == "/" else f"{url}messages/"
        assert client.post(where, data).status_code == 422
        assert "x" * 40 not in text(client, url)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on this process hears of others' changes only when it looks, and thinks that it just has."""

    def begin() -> None:
        tracker: Any = caches["conversations"].engine.tracker
        hear = tracker.drain
        monkeypatch.setattr(
            tracker,
            "drain",
            lambda: threading.current_thread() is tracker._thread or hear(),
        )
        hear()
        tracker.fresh_until += 3600

    return begin


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before the request", "before its event is asked for"])
def test_it_shows_what_the_event_that_it_follows_tells_of(
    client: Client,
    conversation: Conversation,
    deaf: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    moment: str,
) -> None:
    """Else nobody would tell it: the event has been, and the change was another process's."""
    settings.CACHES = {**settings.CACHES}  # the other's engine ends with this
    url = conversation.get_absolute_url()
    other = OtherProcess()
    text(client, url), text(client, url)

    def change() -> None:
        with other.acting():
            conversation.rename("Wine")

    last = streams.last_event_id

    def change_and_ask(pk: Any) -> str:
        change()
        return last(pk)

    deaf()
    if moment == "before the request":
        change()
    else:
        monkeypatch.setattr(streams, "last_event_id", change_and_ask)
    assert "Wine" in text(client, url)
