"""Every URL of the site, visited as nobody and as somebody else. A pattern that is not here fails."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from conversations.models import (
    Attachment,
    Branch,
    Conversation,
    Import,
    Kind,
    Message,
    ReadingState,
    ShareLink,
    Status,
    SupportAccess,
    ToolRun,
)
from tests.factories import (
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    ToolRunFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue_redis", "cache_redis")]

# Alice owns everything. What Bob (signed in) and a visitor get: a status, for GET and for POST.
# "login" is a redirect to the log-in page; a POST is answered 401, with what was typed kept.
LOGIN = "login"
OWN = {"visitor": (LOGIN, 401), "bob": (404, 404)}
OWN_GET = {"visitor": (LOGIN, 405), "bob": (404, 405)}
OWN_POST = {"visitor": (405, 401), "bob": (405, 404)}
PUBLIC = {"visitor": (200, 405), "bob": (200, 405)}

CHAT: dict[str, dict[str, tuple[Any, Any]]] = {
    "conversations:detail": OWN_GET,
    "conversations:rename": OWN,
    "conversations:setup": OWN,
    "conversations:delete": OWN,
    "conversations:look": OWN_GET,
    "conversations:messages": OWN,
    "conversations:message": OWN_GET,
    "conversations:stop": OWN_POST,
    "conversations:retry": OWN,
    "conversations:continue": OWN_POST,
    "conversations:tool_run": OWN_POST,
    "conversations:edit": OWN,
    "conversations:rating": OWN,
    # Everybody sees their own.
    "conversations:settings_usage": {"visitor": (LOGIN, 405), "bob": (200, 405)},
    "conversations:version": OWN_POST,
    # The ASGI app answers this one: tests/conversations/streams/test_app.py.
    "conversations:events": {"visitor": (501, 405), "bob": (501, 405)},
    "conversations:list": {"visitor": (200, 401), "bob": (200, 422)},
    "conversations:export": OWN_GET,
    "conversations:transfer": {"visitor": (LOGIN, 401), "bob": (200, 422)},
    "conversations:import": OWN_GET,
    "conversations:import_settings": OWN_POST,
    "conversations:cited": OWN_GET,
    "conversations:upload": {"visitor": (405, 401), "bob": (405, 422)},
    "conversations:attachment": OWN_GET,
    "conversations:attachment_text": OWN_GET,
    "conversations:attachment_chip": OWN_GET,
    "conversations:attachment_remove": OWN_POST,
    "conversations:search": {"visitor": (LOGIN, 405), "bob": (200, 405)},
    "conversations:settings": PUBLIC,
    "conversations:settings_assistant": {"visitor": (LOGIN, 401), "bob": (200, 303)},
    "conversations:settings_time": {"visitor": (LOGIN, 401), "bob": (200, 303)},
    "conversations:settings_history": {"visitor": (LOGIN, 401), "bob": (200, 303)},
    "conversations:settings_appearance": {"visitor": (200, 303), "bob": (200, 303)},
    "conversations:settings_keyboard": {"visitor": (200, 303), "bob": (200, 303)},
    "conversations:settings_language": {"visitor": (200, 303), "bob": (200, 303)},
    "conversations:share": OWN,
    # Whoever has the secret reads it, signed in or not; nobody has that of Alice's.
    "conversations:shared": {"visitor": (404, 405), "bob": (404, 405)},
    "conversations:shares": {"visitor": (LOGIN, 405), "bob": (200, 405)},
    "conversations:revoke_share": OWN_POST,
    "conversations:privacy": {"visitor": (LOGIN, 401), "bob": (200, 422)},
    "conversations:take_back_consent": OWN_POST,
    "conversations:delete_account": {"visitor": (LOGIN, 401), "bob": (200, 422)},
    # Numbers of a deletion, for whoever was sent there when it began: nobody else has the token.
    "conversations:account_deleted": {"visitor": (404, 405), "bob": (404, 405)},
    "conversations:help": PUBLIC,
    "conversations:help_page": PUBLIC,
}

# What a visitor from another machine gets of the site's figures.
FIGURES = {
    "health-live": {200},
    "health-ready": {200, 503},
    "health-detail": {403},
    "prometheus-django-metrics": {403},
}

# Pages of allauth that anybody may open; every other one asks for a log-in first.
OPEN_ACCOUNT_PAGES = {
    "account_login",
    "account_signup",
    "account_logout",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_confirm_email",
    "account_email_verification_sent",
    "account_inactive",
    "account_confirm_login_code",
    "account_request_login_code",
    "account_signup_by_passkey",
    "account_reauthenticate",
}


def patterns(
    resolver: URLResolver | None = None, route: str = "", space: str = ""
) -> Iterator[tuple[str, str]]:
    """(name, route) of every pattern."""
    for entry in (resolver or get_resolver()).url_patterns:
        here = route + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield f"{space}{entry.name}" if entry.name else "", here
        else:
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from patterns(entry, here, inner)


ALL = sorted(set(patterns()))
CHAT_PATTERNS = [name for name, _ in ALL if name.startswith("conversations:")]


class Owned:
    """What Alice has, and the text that nobody else may ever see."""

    def __init__(self) -> None:
        self.secret = f"canary-{uuid.uuid4().hex}"
        self.alice = UserFactory()
        self.conversation: Conversation = ConversationFactory(user=self.alice, title=self.secret)
        MessageFactory(conversation=self.conversation, text=self.secret)
        reply = ReplyFactory(
            message__conversation=self.conversation,
            message__text=self.secret,
            status=Status.FAILED,
        )
        self.message: Message = reply.message
        self.attachment = Attachment.objects.create(
            user=self.alice,
            conversation=self.conversation,
            name=f"{self.secret}.txt",
            kind=Kind.TEXT,
            media_type="text/plain",
            size=7,
            file=ContentFile(self.secret.encode(), name="x"),
            state=ReadingState.READY,
        )
        self.attachment.pages.create(number=1, text=self.secret)
        self.imported = Import.objects.create(
            user=self.alice, state="done", report=[{"title": self.secret, "left": {}}]
        )
        self.run: ToolRun = ToolRunFactory(reply=reply, arguments=self.secret)
        self.link: ShareLink = ShareLink.objects.create(
            user=self.alice,
            conversation=self.conversation,
            branch=self.message.branch,
            last_place=self.message.place,
            shown_until=timezone.now(),
            digest="0" * 64,
        )

        self.access: SupportAccess = SupportAccess.objects.create(
            user=self.alice, expires_at=timezone.now() + timedelta(hours=1)
        )

    def url(self, route: str) -> str:
        values = {
            "<uuid:pk>": str(self.conversation.pk),
            "shares/<int:number>": f"shares/{self.link.pk}",
            "privacy/<int:number>": f"privacy/{self.access.pk}",
            "imports/<int:number>": f"imports/{self.imported.pk}",
            "<int:number>": str(self.message.pk),
            "<uuid:file>": str(self.attachment.pk),
            "<slug:slug>": "first-steps",
            "<str:token>": "A:B:C",
            "<str:secret>": "A" * 43,
            "<int:run>": str(self.run.pk),
            "<int:branch>": str(self.message.branch_id),
            "<int:place>": str(self.message.place),
        }
        for parameter, value in values.items():
            route = route.replace(parameter, value)
        assert "<" not in route, f"give the parameters of {route} a value here"
        return f"/{route}"

    def state(self) -> list[Any]:
        """Everything of hers, to see that nothing has changed."""
        return [
            *Conversation.objects.order_by("pk").values(),
            *Branch.objects.order_by("pk").values(),
            *Attachment.objects.order_by("pk").values(),
            *ToolRun.objects.order_by("pk").values(),
            *SupportAccess.objects.order_by("pk").values(),
            *ShareLink.objects.order_by("pk").values(),
            *Message.objects.order_by("pk").values("pk", "text", "reply__status", "reply__attempt"),
        ]


@pytest.fixture
def owned() -> Owned:
    return Owned()


@pytest.fixture
def clients() -> dict[str, Client]:
    bob = Client(SERVER_NAME="localhost")
    bob.force_login(UserFactory())
    return {"visitor": Client(SERVER_NAME="localhost"), "bob": bob}


def test_every_pattern_is_spoken_for() -> None:
    unnamed = [route for name, route in ALL if not name and not route.startswith("admin/")]
    others = [
        (name, route)
        for name, route in ALL
        if not route.startswith(("admin/", "accounts/")) and name not in {*CHAT, *FIGURES, "icon"}
    ]
    assert not unnamed
    assert not others, "say in this file who may see these"
    assert set(CHAT) == set(CHAT_PATTERNS)


@pytest.mark.parametrize("who", ["visitor", "bob"])
@pytest.mark.parametrize("name", CHAT_PATTERNS)
def test_nobody_else_reads_or_changes_a_conversation(
    name: str, who: str, owned: Owned, clients: dict[str, Client]
) -> None:
    url, before = owned.url(dict(ALL)[name]), owned.state()
    data = {"text": "mine now", "title": "mine now", "key": str(uuid.uuid4())}
    if name == "conversations:list":
        data["text"] = ""

    for expected, response in zip(
        CHAT[name][who], (clients[who].get(url), clients[who].post(url, data)), strict=True
    ):
        if expected == LOGIN:
            assert response.status_code in {302, 303}
            assert response.headers["Location"].startswith("/accounts/login/")
        else:
            assert response.status_code == expected
        assert owned.secret.encode() not in response.content
    assert owned.state() == before


@pytest.mark.parametrize("who", ["visitor", "bob"])
@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_for_staff_and_programs(
    name: str, who: str, clients: dict[str, Client]
) -> None:
    response = clients[who].get(f"/{dict(ALL)[name]}", REMOTE_ADDR="203.0.113.5")
    assert response.status_code in FIGURES[name]
    assert clients[who].post(f"/{dict(ALL)[name]}").status_code == 405


@pytest.mark.parametrize("who", ["visitor", "bob"])
def test_the_admin_is_closed_to_all_but_staff(who: str, clients: dict[str, Client]) -> None:
    for _, route in ALL:
        if not route.startswith("admin/") or "jsi18n" in route:
            continue
        url = "/" + route.replace("<path:object_id>", "1").replace("<id>", "1")
        response = clients[who].get(url)
        assert response.status_code in {301, 302, 403, 404}, url


def test_account_pages_that_are_not_open_ask_for_a_log_in(clients: dict[str, Client]) -> None:
    for name, route in ALL:
        if not route.startswith("accounts/") or name in OPEN_ACCOUNT_PAGES or "<" in route:
            continue
        if "(" in route or "^" in route:
            continue
        response = clients["visitor"].get(f"/{route}")
        assert response.status_code in {302, 404, 405}, f"{name}: {response.status_code}"
        if response.status_code == 302:
            assert "/accounts/login/" in response.headers["Location"], name
