"""No page of the admin shows what was said, to nobody, but where an access is open: one page of them all."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import ProgrammingError, connection, models, transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from conversations import support
from conversations.models import (
    Attachment,
    Conversation,
    Message,
    Preferences,
    Reply,
    Role,
    Status,
    SupportAccess,
    SupportAccessEvent,
    SystemPrompt,
    ToolRun,
)
from tests.factories import (
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    ToolRunFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]

CANARY = f"canary{uuid.uuid4().hex[:12]}"
PAGES = ("changelist", "change", "history", "delete")
REASON = "The user cannot open it and has asked by telephone."


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory.create(
        title=CANARY, tags=[CANARY], system_prompt=CANARY
    )
    Preferences.objects.change(made.user, system_prompt=CANARY)
    MessageFactory.create(conversation=made, text=CANARY)
    reply = ReplyFactory.create(
        message__conversation=made,
        message__text=CANARY,
        message__html=CANARY,
        status=Status.FAILED,
        explanation=CANARY,
        turns=CANARY,
        correlation_id="abc",
    )
    ToolRunFactory.create(reply=reply, arguments=CANARY, result=CANARY)
    ToolRunFactory.create(reply=reply, arguments=CANARY, error=CANARY)
    attachment = Attachment.objects.create(
        user=made.user,
        conversation=made,
        name=CANARY,
        kind="text",
        media_type="text/plain",
        size=9,
        file="aa/aa",
    )
    attachment.pages.create(number=1, text=CANARY)
    return made


def staff(*permissions: str, superuser: bool = False) -> Client:
    user = UserFactory.create(is_staff=True, is_superuser=superuser, username="carol")
    viewing = Permission.objects.filter(codename__startswith="view_")
    named = Permission.objects.filter(codename__in=permissions)
    user.user_permissions.set(viewing | named)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


@pytest.fixture
def carol() -> Client:
    return staff(superuser=True)


def urls(app: str) -> Iterator[str]:
    """Every page of every registered model of that app, of each row that there is."""
    for model in admin.site._registry:
        if model._meta.app_label != app:
            continue
        name = f"admin:{app}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield f"{reverse(f'{name}_changelist')}?q={CANARY}"
        for row in model._default_manager.all():
            for page in PAGES[1:]:
                try:
                    yield reverse(f"{name}_{page}", args=[row.pk])
                except NoReverseMatch:
                    continue


@pytest.mark.parametrize("superuser", [True, False])
def test_no_page_shows_what_was_said(conversation: Conversation, superuser: bool) -> None:
    client = staff("break_glass", "read_with_consent", superuser=superuser)
    others = ["/admin/", "/admin/happened/?id=abc", f"/admin/search/?s={CANARY}"]
    read = reverse("admin:conversations_conversation_read", args=[conversation.pk])
    pages = [*urls("conversations"), *urls("auth"), *urls("account"), *others, read]
    seen = 0
    for url in pages:
        response = client.get(url)
        assert response.status_code in {200, 302, 403, 404}, url
        page = response.content.decode()
        for asked in (f'value="{CANARY}"', f"q={CANARY}", f"q%3D{CANARY}"):  # by us
            page = page.replace(asked, "")
        assert CANARY not in page, url
        seen += response.status_code == 200
    assert seen > 25
    assert not SupportAccessEvent.objects.exists()


def test_every_model_of_the_chat_names_what_it_shows() -> None:
    """A text that a later model or field brings is not shown by default."""
    private = {"text", "html", "title", "tags", "arguments", "result", "turns", "explanation"}
    private |= {"system_prompt"}
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label != "conversations" or model is SystemPrompt:  # staff's own text
            continue
        shown = {*map(str, model_admin.list_display), *map(str, model_admin.fields or [])}
        assert not shown & private, model
        if model in {Conversation, Message, Reply, ToolRun, Preferences}:
            assert model_admin.fields, model
        if model is ToolRun:
            assert "error" not in shown


@pytest.mark.parametrize(
    ("name", "lookup"),
    [
        ("conversation", "title__startswith"),
        ("conversation", "tags__contains"),
        ("message", "text__startswith"),
        ("message", "html__contains"),
        ("message", "conversation__title__startswith"),
        ("reply", "turns__contains"),
        ("reply", "message__text__startswith"),
        ("toolrun", "arguments__contains"),
        ("branch", "conversation__title__startswith"),
    ],
)
def test_no_address_tells_a_text_letter_by_letter(
    name: str, lookup: str, conversation: Conversation, carol: Client
) -> None:
    response = carol.get(reverse(f"admin:conversations_{name}_changelist"), {lookup: "can"})
    assert response.status_code == 400


def test_the_admins_log_holds_no_title(conversation: Conversation, carol: Client) -> None:
    url = reverse("admin:conversations_conversation_delete", args=[conversation.pk])
    assert carol.post(url, {"post": "yes"}).status_code == 302
    assert CANARY not in str(list(LogEntry.objects.values()))
    assert CANARY not in carol.get("/admin/", follow=True).content.decode()


def read(client: Client, conversation: Conversation) -> Any:
    return client.get(reverse("admin:conversations_conversation_read", args=[conversation.pk]))


@pytest.mark.parametrize("for_all", [True, False])
def test_with_consent_it_is_read_and_each_look_is_written_down(
    for_all: bool, conversation: Conversation
) -> None:
    client = staff("read_with_consent")
    support.consent(conversation.user, None if for_all else conversation, 1)
    response = read(client, conversation)
    assert response.status_code == 200
    assert response.content.decode().count(CANARY) >= 7
    assert "no-store" in response["Cache-Control"]
    looked = SupportAccessEvent.objects.filter(kind="read").get()
    assert (looked.staff_name, looked.conversation_number) == ("carol", conversation.pk)


def test_consent_is_not_for_those_without_the_permission(conversation: Conversation) -> None:
    support.consent(conversation.user, None, 1)
    response = read(staff("break_glass"), conversation)
    assert response.status_code == 403
    assert CANARY not in response.content.decode()


@pytest.mark.parametrize("end", ["expired", "taken back", "another's", "another conversation"])
def test_without_an_open_consent_it_is_not(
    end: str, conversation: Conversation, carol: Client
) -> None:
    if end == "another's":
        support.consent(UserFactory.create(), None, 1)
    elif end == "another conversation":
        support.consent(conversation.user, ConversationFactory.create(user=conversation.user), 1)
    else:
        access = support.consent(conversation.user, conversation, 1)
        if end == "expired":
            SupportAccess.objects.update(expires_at=timezone.now())
        else:
            support.take_back(access)
    response = read(carol, conversation)
    assert response.status_code == 403
    assert CANARY not in response.content.decode()


def glass(conversation: Conversation) -> str:
    return reverse("admin:conversations_conversation_break_glass", args=[conversation.pk])


def test_the_glass_is_broken_for_a_reason_and_the_user_told(
    conversation: Conversation, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
    settings.SITE_URL = "https://chat.example.org"
    client, other = staff("break_glass"), ConversationFactory.create(user=conversation.user)
    for reason in ("", "because"):
        assert client.post(glass(conversation), {"reason": reason}).status_code == 400
    assert not SupportAccess.objects.exists()

    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(glass(conversation), {"reason": REASON}).status_code == 302
    assert CANARY in read(client, conversation).content.decode()
    assert read(client, other).status_code == 403  # this one conversation
    kinds = SupportAccessEvent.objects.order_by("pk").values_list("kind", "reason")
    assert list(kinds) == [("broke_glass", REASON), ("read", "")]
    (letter,) = mail.outbox
    assert letter.to == [conversation.user.email]
    assert REASON in letter.body
    assert "https://chat.example.org/settings/privacy/" in letter.body
    assert CANARY not in letter.body

    SupportAccess.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert read(client, conversation).status_code == 403


def test_it_is_broken_for_one_person(conversation: Conversation) -> None:
    support.break_glass(UserFactory.create(is_staff=True), conversation, REASON)
    assert read(staff("break_glass"), conversation).status_code == 403


def test_only_with_the_permission(conversation: Conversation) -> None:
    client = staff("read_with_consent")
    assert client.post(glass(conversation), {"reason": REASON}).status_code == 403
    assert not SupportAccess.objects.exists()


def test_the_mail_is_in_the_users_language(conversation: Conversation) -> None:
    Preferences.objects.change(conversation.user, language="de")
    access = support.break_glass(UserFactory.create(is_staff=True), conversation, REASON)
    from conversations import support_mail

    assert support_mail.tell_of_broken_glass(access.pk)
    assert not support_mail.tell_of_broken_glass(0)
    conversation.user.email = ""
    conversation.user.save()
    assert not support_mail.tell_of_broken_glass(access.pk)


@pytest.mark.parametrize("sql", ["UPDATE {} SET reason = ''", "DELETE FROM {}"])
def test_the_log_is_only_added_to(sql: str, conversation: Conversation, carol: Client) -> None:
    support.break_glass(UserFactory.create(is_staff=True), conversation, REASON)
    event = SupportAccessEvent.objects.get()
    url = reverse("admin:conversations_supportaccessevent_delete", args=[event.pk])
    assert carol.post(url, {"post": "yes"}).status_code == 403
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(SupportAccessEvent._meta.db_table))


def test_long_conversations_are_read_by_pages(
    conversation: Conversation, carol: Client, django_assert_max_num_queries: Any
) -> None:
    support.consent(conversation.user, None, 1)
    conversation.shown_branch.append(
        *(Message(role=Role.USER, text=f"word{n}.") for n in range(120))
    )
    seen, url = [], reverse("admin:conversations_conversation_read", args=[conversation.pk])
    path = url
    while url:
        with django_assert_max_num_queries(12):
            response = carol.get(url)
        seen += re.findall(r"word(\d+)\.", response.content.decode())
        url = f"{path}?after={response.context['next']}" if response.context["next"] else ""
    assert list(map(int, seen)) == list(range(120))
    assert SupportAccessEvent.objects.filter(kind="read").count() == 3


def test_rows_name_themselves_without_their_words(conversation: Conversation) -> None:
    for model in apps.get_app_config("conversations").get_models():
        for row in model._default_manager.all():
            assert CANARY not in str(row), model
            assert isinstance(row, models.Model)
