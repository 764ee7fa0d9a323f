from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from conversations.models import DailyUsage, Entry, Role, Status
from tests.factories import (
    PASSWORD,
    ConversationFactory,
    MessageFactory,
    RatingFactory,
    ReplyFactory,
    ToolRunFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    made = Client(SERVER_NAME="localhost")
    made.force_login(UserFactory(is_staff=True, is_superuser=True))
    return made


def fill(count: int) -> None:
    for _ in range(count):
        conversation = ConversationFactory()
        MessageFactory(conversation=conversation)
        reply = ReplyFactory(message__conversation=conversation, status=Status.COMPLETE)
        ToolRunFactory(reply=reply)
        RatingFactory(message=reply.message)
        DailyUsage.add(conversation.user_id, "default", "m", "USD", Entry(messages=1))


LISTS = ["branch", "conversation", "dailyusage", "message", "rating", "reply", "toolrun"]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_queries_whatever_its_length(
    name: str, client: Client, django_assert_max_num_queries: Any
) -> None:
    fill(12)
    with django_assert_max_num_queries(8):
        response = client.get(reverse(f"admin:conversations_{name}_changelist"))
    assert response.status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_lists_can_be_searched_and_their_rows_read_but_not_changed(
    name: str, client: Client
) -> None:
    fill(1)
    model_admin = next(
        one for model, one in admin.site._registry.items() if model._meta.model_name == name
    )
    row = model_admin.model.objects.first()
    page = reverse(f"admin:conversations_{name}_change", args=[row.pk])

    assert (
        client.get(reverse(f"admin:conversations_{name}_changelist"), {"q": 'a"'}).status_code
        == 200
    )
    assert client.get(page).status_code == 200
    assert client.post(page, {"text": "changed"}).status_code == 403
    assert client.get(reverse(f"admin:conversations_{name}_add")).status_code == 403


def test_every_registered_model_has_a_list(client: Client) -> None:
    for model in admin.site._registry:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert client.get(url).status_code == 200, url


def test_the_log_in_is_the_accounts_own() -> None:
    visitor = Client(SERVER_NAME="localhost")

    response = visitor.get("/admin/", follow=True)

    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def test_who_is_not_staff_is_refused() -> None:
    user = UserFactory()
    visitor = Client(SERVER_NAME="localhost")
    assert visitor.login(username=user.username, password=PASSWORD)

    assert visitor.get("/admin/", follow=True).status_code == 403


def test_eval_is_allowed_in_the_admin_alone(client: Client) -> None:
    assert "'unsafe-eval'" in client.get("/admin/").headers["Content-Security-Policy"]
    assert "unsafe" not in client.get("/").headers["Content-Security-Policy"]


def test_the_queues_own_pages_are_not_here(client: Client) -> None:
    assert not any("django_rq" in str(model) for model in admin.site._registry)
    assert client.get("/admin/django_rq/").status_code == 404


def test_the_dashboard_is_the_first_of_all(client: Client) -> None:
    first, *_ = admin.site.get_app_list(client.get("/admin/").wsgi_request)
    assert first["app_label"] == "performance"
    assert first["models"][0]["object_name"] == "Dashboard"


def test_a_message_is_named_without_its_text() -> None:
    message = MessageFactory(role=Role.ASSISTANT, text="Yes.")
    assert str(message) == f"Message {message.pk}, assistant"


def test_every_page_leads_to_what_happened_and_to_the_chat(client: Client) -> None:
    html = client.get(reverse("admin:index")).content.decode()
    for name in ("admin:happened", "conversations:list"):
        assert f'href="{reverse(name)}"' in html
