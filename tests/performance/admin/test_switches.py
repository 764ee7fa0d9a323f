from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from performance import conf
from performance.models import SwitchChange
from performance.switches import Switch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_again() -> Any:
    yield
    conf.turn_off(frozenset())


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def page() -> str:
    return reverse("admin:performance_switches")


def test_staff_turn_a_service_off_and_on_again_and_both_are_written_down() -> None:
    client = staff("view_switchchange", "change_switches")
    off = {"switch": Switch.AI_RESPONSES, "reason": "Odd answers since noon <b>"}
    answer = client.post(page(), off, follow=True)
    assert not conf.current().cache.ai_responses
    assert "Odd answers since noon &lt;b&gt;" in answer.content.decode()
    client.post(page(), {"switch": Switch.AI_RESPONSES, "is_on": "on", "reason": "Mended"})
    assert conf.current().cache.ai_responses
    made = SwitchChange.objects.values_list("is_on", "by_name", "reason")
    assert list(made) == [
        (True, "bob", "Mended"),
        (False, "bob", "Odd answers since noon <b>"),
    ]


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"reason": "x" * 301}, {"switch": "nothing"}])
def test_what_is_wrong_changes_nothing_and_says_so(wrong: dict[str, str]) -> None:
    client = staff("view_switchchange", "change_switches")
    answer = client.post(page(), {"switch": Switch.CACHE, "reason": "why"} | wrong)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not SwitchChange.objects.exists()


def test_who_may_only_look_sees_no_button_and_changes_nothing() -> None:
    client = staff("view_switchchange")
    assert "Turn off" not in client.get(page()).content.decode()
    assert client.post(page(), {"switch": Switch.CACHE, "reason": "why"}).status_code == 403
    assert not SwitchChange.objects.exists()


def test_without_a_permission_there_is_no_page() -> None:
    assert staff().get(page()).status_code == 403


def test_what_the_environment_turned_off_says_so(settings: Any) -> None:
    settings.PERFORMANCE = {"CACHE": {"ENABLED": False}}
    assert "off by the environment" in staff("view_switchchange").get(page()).content.decode()


def test_the_page_costs_one_query_more_than_any_admin_page(
    django_assert_max_num_queries: Any,
) -> None:
    client = staff("view_switchchange", "change_switches")
    with django_assert_max_num_queries(6):
        client.get(page())


def test_the_list_leads_to_the_page_of_switches() -> None:
    answer = staff("view_switchchange").get(reverse("admin:performance_switchchange_changelist"))
    assert f'href="{page()}"' in answer.content.decode()
