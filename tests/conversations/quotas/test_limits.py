from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from conversations.models import Quota
from conversations.quotas import periods
from conversations.quotas.limits import NANO, Limit, limits_of, units
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> Any:
    made = UserFactory()
    made.groups.add(Group.objects.create(name="a"), Group.objects.create(name="b"))
    return made


def quota(most: Any, **about: Any) -> None:
    Quota.objects.create(measure="messages", period="hour", most=most, **about)


def test_the_closest_quota_holds(user: Any, django_assert_num_queries: Any) -> None:
    assert limits_of(user.pk) == []
    quota(5)
    assert limits_of(user.pk) == [Limit("messages", "hour", 5)]
    quota(3, group=Group.objects.get(name="a"))
    assert limits_of(user.pk) == [Limit("messages", "hour", 3)]
    quota(7, group=Group.objects.get(name="b"))
    assert limits_of(user.pk) == [
        Limit("messages", "hour", 7)
    ]  # of groups, the one that allows most
    quota(1, user=user)
    with django_assert_num_queries(1):
        assert limits_of(user.pk) == [Limit("messages", "hour", 1)]
    assert limits_of(UserFactory().pk) == [Limit("messages", "hour", 5)]


@pytest.mark.parametrize("closer", ["group", "user"])
def test_an_exception_allows_any_amount(user: Any, closer: str) -> None:
    quota(5)
    quota(2, group=Group.objects.get(name="b"))
    quota(None, **{closer: user if closer == "user" else Group.objects.get(name="a")})
    assert limits_of(user.pk) == []


def test_measures_and_periods_stand_for_themselves(user: Any) -> None:
    quota(5)
    Quota.objects.create(measure="cost", period="month", most=Decimal("1.5"), user=user)
    assert limits_of(user.pk) == [
        Limit("cost", "month", 1_500_000_000),
        Limit("messages", "hour", 5),
    ]


def test_what_cannot_be_is_refused(user: Any) -> None:
    group = Group.objects.get(name="a")
    quota(5)
    for wrong, words in (
        ({"most": 1}, "such a quota already"),
        ({"most": 1, "user": user, "group": group}, "not both"),
        ({"most": Decimal("1.5"), "user": user}, "whole numbers"),
        ({"most": -1, "user": user}, "greater than or equal"),
    ):
        with pytest.raises(ValidationError, match=words):
            Quota(measure="messages", period="hour", **wrong).full_clean()


def test_costs_are_counted_in_billionths() -> None:
    assert units("cost", Decimal("0.000000001")) == 1
    assert units("cost", Decimal(10) ** 11) == 2**53 - 1
    assert Limit("cost", "day", NANO).amount(NANO // 2) == Decimal("0.5")


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        ("hour", "2026-12-31T23:00", "2027-01-01T00:00"),
        ("day", "2026-12-31T00:00", "2027-01-01T00:00"),
        ("month", "2026-12-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_periods(period: str, begin: str, end: str) -> None:
    now = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert periods.began(period, now).isoformat()[:16] == begin
    assert periods.ends(period, now).isoformat()[:16] == end
