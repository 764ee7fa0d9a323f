from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from conversations import tools
from conversations.ai.openai import pace
from conversations.ai.openai.options import read
from conversations.models import DailyUsage, Entry, StaffChange, SystemPrompt, ToolSwitch
from tests.factories import ToolRunFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue_redis")]
TOOLS = "/admin/conversations/toolswitch/"
MODELS = "/admin/conversations/chatmodel/"
PROMPTS = "/admin/conversations/systemprompt/"


@pytest.fixture
def client() -> Client:
    made = Client(SERVER_NAME="localhost")
    made.force_login(UserFactory(username="carol", is_staff=True, is_superuser=True))
    return made


def looking_only(*permissions: str) -> Client:
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    made = Client(SERVER_NAME="localhost")
    made.force_login(user)
    return made


def test_each_tool_is_there_with_its_figures(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for error, cached in (("", None), ("No.", None), ("", timezone.now()), ("", None)):
        ToolRunFactory(name="calculator", error=error, cached_at=cached, milliseconds=10)
    with django_assert_max_num_queries(9):
        response = client.get(TOOLS)
    rows = {row["tool"].name: row for row in response.context["rows"]}
    assert set(rows) == {tool.name for tool in tools.every()}
    figures = rows["calculator"]
    assert (figures["calls"], figures["errors"], figures["cached"]) == (4, 25, 25)


def test_turning_a_tool_off_and_on_is_kept(client: Client) -> None:
    assert client.post(TOOLS, {"name": "calculator"}).status_code == 422
    assert client.post(TOOLS, {"name": "made_up", "reason": "x"}).status_code == 422
    assert not ToolSwitch.objects.exists()
    for _ in range(2):  # twice is once
        client.post(TOOLS, {"name": "calculator", "reason": "Wrong"})
    assert ToolSwitch.off() == {"calculator"}
    client.post(TOOLS, {"name": "calculator", "is_on": "on", "reason": "Mended"})
    assert ToolSwitch.off() == frozenset()
    rows = StaffChange.objects.order_by("pk").values_list("by_name", "subject", "after", "reason")
    assert list(rows) == [
        ("carol", "calculator", "off", "Wrong"),
        ("carol", "calculator", "on", "Mended"),
    ]
    assert "Mended" in client.get(TOOLS).content.decode()


def test_who_may_look_may_not_switch() -> None:
    client = looking_only("view_toolswitch", "view_chatmodel")
    assert "Turn off" not in client.get(TOOLS).content.decode()
    assert client.post(TOOLS, {"name": "calculator", "reason": "x"}).status_code == 403
    assert client.get(MODELS).status_code == 200
    nobody = looking_only()
    assert nobody.get(TOOLS).status_code == 403
    assert nobody.get(MODELS).status_code == 403


OPTIONS = {
    "base_url": "http://127.0.0.1:1/v1",
    "model": "m",
    "api_key": "sk-secret",
    "prices": ["2", "3"],
    "limits": {"requests_per_minute": 60},
}


def test_models_show_state_limits_prices_and_usage(
    client: Client, settings: Any, queue_redis: Any, django_assert_max_num_queries: Any
) -> None:
    settings.CHAT_BACKENDS = {
        "default": {"BACKEND": "conversations.ai.openai.OpenAIBackend", "OPTIONS": OPTIONS},
        "guide": {"BACKEND": "conversations.ai.guide.GuideBackend"},
    }
    seen = {"error": "overloaded", "error_at": "1790000000", "breaker": "open"}
    queue_redis.hset(pace.key_of(read(OPTIONS)), mapping=seen | {"limit_requests": "500"})
    DailyUsage.add(UserFactory().pk, "default", "m", "USD", Entry(messages=3, input_tokens=7))
    with django_assert_max_num_queries(8):
        page = client.get(MODELS)
    text = page.content.decode()
    model, guide = page.context["rows"]
    assert (model["requests"], model["seen"]["breaker"]) == (60, "open")
    assert model["usage"][0]["answers"] == 3
    assert guide["is_free"]
    assert "overloaded" in text
    assert "of 500 left" in text
    assert "2 read, 3 written, 2 cached USD" in text
    assert "sk-secret" not in text


def test_each_server_can_be_asked(client: Client, settings: Any) -> None:
    settings.CHAT_BACKENDS = {
        "default": {"BACKEND": "conversations.ai.openai.OpenAIBackend", "OPTIONS": OPTIONS},
        "guide": {"BACKEND": "conversations.ai.guide.GuideBackend"},
    }
    model, guide = client.post(MODELS).context["rows"]
    assert "could not be reached" in model["problem"]
    assert guide["problem"] == ""


def test_a_new_prompt_begins_with_the_one_that_holds(client: Client, settings: Any) -> None:
    settings.SYSTEM_PROMPT = "From the settings."
    assert "From the settings." in client.get(f"{PROMPTS}add/").content.decode()
    client.post(f"{PROMPTS}add/", {"text": "Be brief.", "reason": "Costs"})
    prompt = SystemPrompt.objects.get()
    assert (prompt.by_name, prompt.reason) == ("carol", "Costs")
    assert SystemPrompt.current().text == "Be brief."
    assert "Be brief." in client.get(f"{PROMPTS}add/").content.decode()


def test_versions_are_neither_changed_nor_deleted(client: Client) -> None:
    prompt = SystemPrompt.objects.create(text="One.", reason="r", by_name="carol")
    page = f"{PROMPTS}{prompt.pk}/"
    assert "One." in client.get(f"{page}change/").content.decode()
    assert client.post(f"{page}change/", {"text": "Two.", "reason": "x"}).status_code == 403
    assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{PROMPTS}add/", {"text": "", "reason": "x"}).status_code == 200
    assert SystemPrompt.objects.count() == 1
