from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType

from performance.queries import scope
from performance.queries.findings import Finding, findings_of, groups_of
from tests.factories import ReplyFactory, UserFactory
from tests.performance.queries.loops.innocent import INNOCENT
from tests.performance.queries.loops.planted import PLANTED, expected

LOOPS = {"n_plus_one", "duplicate", "write_loop"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def _rows() -> None:
    users = UserFactory.create_batch(5)
    groups = [Group.objects.create(name=f"g{number}") for number in range(5)]
    permissions = list(Permission.objects.all()[:4])
    kind = ContentType.objects.get_for_model(User)
    for user, group in zip(users, groups, strict=True):
        user.groups.add(*groups[:2])
        group.permissions.set(permissions)
        for _ in range(2):
            LogEntry.objects.create(user=user, content_type=kind, object_id="1", action_flag=CHANGE)
    ReplyFactory.create_batch(4)


def seen_in(work: Callable[[], Any]) -> list[Finding]:
    with scope.open(kind="request", name="test") as seen:
        seen.detailed = False
        work()
    return [found for found in findings_of(seen, groups_of(seen)) if found.kind in LOOPS]


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.__name__)
def test_planted_loops_are_found_with_their_line_and_remedy(planted: Callable[[], Any]) -> None:
    file, line, remedy = expected(planted)

    found = seen_in(planted)

    assert [one.kind for one in found] == ["n_plus_one"]
    assert found[0].site
    assert (Path(found[0].site.file).name, found[0].site.line) == (file, line)
    assert remedy in found[0].remedy
    assert found[0].site.template == file.endswith(".html")
    assert found[0].repeats >= 3


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("innocent", INNOCENT, ids=lambda innocent: innocent.__name__)
def test_innocent_repeats_are_left_alone(innocent: Callable[[], Any]) -> None:
    assert seen_in(innocent) == []


@pytest.mark.usefixtures("_rows")
def test_the_same_question_again_is_a_duplicate() -> None:
    (found,) = seen_in(lambda: [Group.objects.filter(name="g1").first() for _ in range(4)])

    assert (found.kind, found.repeats) == ("duplicate", 4)
    assert "cache" in found.remedy


@pytest.mark.usefixtures("_rows")
def test_writes_in_a_loop_are_found_when_they_are_many() -> None:
    (found,) = seen_in(lambda: [Group.objects.create(name=f"x{n}") for n in range(12)])

    assert found.kind == "write_loop"
    assert "bulk_create" in found.remedy
