from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.checks import check_levels
from conversations.levels import level_of
from conversations.models import Reply
from conversations.tasks import sweep_replies
from performance.queues import Level
from tests.factories import ReplyFactory

pytestmark = pytest.mark.django_db


def reply(*, fresh: bool = False, **user: Any) -> Reply:
    made: Reply = ReplyFactory(fresh=fresh)
    owner = made.message.conversation.user
    for name, value in user.items():
        setattr(owner, name, value)
    owner.save()
    return made


def test_another_answer_waits_behind_new_questions(django_assert_num_queries: Any) -> None:
    new, again = reply(), reply(fresh=True)
    with django_assert_num_queries(0):
        assert (level_of(new), level_of(again)) == (Level.HIGH, Level.NORMAL)


def test_staff_and_a_group_may_go_first(settings: Any) -> None:
    settings.PRIORITY_LEVEL, settings.PRIORITY_GROUP = "urgent", "subscribers"
    member = reply()
    member.message.conversation.user.groups.add(Group.objects.create(name="subscribers"))
    assert level_of(member) == Level.URGENT
    assert level_of(reply(is_staff=True, fresh=True)) == Level.URGENT
    assert level_of(reply()) == Level.HIGH


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_asks_for_the_groups_of_all_at_once(settings: Any, queue_redis: Any) -> None:
    settings.PRIORITY_LEVEL, settings.PRIORITY_GROUP = "urgent", "subscribers"
    costs = []
    for more in (1, 4):
        for _ in range(more):
            late = reply(fresh=False)
            Reply.objects.filter(pk=late.pk).update(enqueued_at=None)
        with CaptureQueriesContext(connection) as captured:
            assert sweep_replies.func() == more
        costs.append(len([one for one in captured if "auth_group" in one["sql"]]))
    assert costs == [1, 1]


def test_a_level_that_there_is_none_of_is_named(settings: Any) -> None:
    assert check_levels() == []
    settings.REGENERATE_LEVEL = "fast"
    (error,) = check_levels()
    assert error.id == "conversations.E010"
    assert "REGENERATE_LEVEL is 'fast'" in error.msg
    assert "critical, urgent, high, normal, low" in error.msg
