from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from conversations.models import DailyUsage, Entry, Quota, StaffChange
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/conversations/quota/"


@pytest.fixture
def client() -> Client:
    made = Client(SERVER_NAME="localhost")
    made.force_login(UserFactory(username="carol", is_staff=True, is_superuser=True))
    return made


def test_each_change_is_kept_with_its_reason(client: Client) -> None:
    form = {"measure": "messages", "period": "day", "most": "10"}
    response = client.post(f"{LIST}add/", form)
    assert "Write down why" in response.content.decode()
    assert not Quota.objects.exists()

    client.post(f"{LIST}add/", form | {"reason": "Costs"})
    quota = Quota.objects.get()
    client.post(f"{LIST}{quota.pk}/change/", form | {"most": "20", "reason": "Asked for"})
    page = f"{LIST}{quota.pk}/delete/"
    assert 'name="reason"' in client.get(page).content.decode()
    for no_reason in ({"post": "yes"}, {"post": "yes", "reason": "  "}):
        assert "Write down why" in client.post(page, no_reason).content.decode()
    assert Quota.objects.exists()
    assert client.post(page, {"post": "yes", "reason": "All may"}).status_code == 302
    assert not Quota.objects.exists()
    rows = StaffChange.objects.order_by("pk").values_list("by_name", "before", "after", "reason")
    ten, twenty = "everybody: 10 messages / a day", "everybody: 20 messages / a day"
    assert list(rows) == [
        ("carol", "", ten, "Costs"),
        ("carol", ten, twenty, "Asked for"),
        ("carol", twenty, "", "All may"),
    ]


def test_who_is_at_a_limit(client: Client, django_assert_max_num_queries: Any) -> None:
    group = Group.objects.create(name="free")
    Quota.objects.create(measure="messages", period="day", most=10)
    Quota.objects.create(measure="messages", period="day", most=4, group=group)
    for number in range(12):
        user = UserFactory(username=f"u{number}")
        if number < 2:
            user.groups.add(group)
        DailyUsage.add(user.pk, "b", "m", "USD", Entry(messages=4 if number else 9))
    with django_assert_max_num_queries(12):
        response = client.get(LIST)
    near = response.context_data["near"]
    assert [(row["username"], row["percent"]) for row in near] == [("u0", 100), ("u1", 100)]
    assert "4 messages a day" in response.content.decode()


def test_without_quotas_nobody_is_at_one(client: Client) -> None:
    assert "Nobody has used 80 % of a quota." in client.get(LIST).content.decode()
