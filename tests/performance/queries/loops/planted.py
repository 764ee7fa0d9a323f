"""Loops of queries as people write them. The line that runs the statement ends in "# N+1", the remedy
that is expected stands beside it; `expected` reads both.

Each has users, groups, permissions, log entries and replies of `tests.performance.queries.loops.rows`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import prefetch_related_objects
from django.template import Context, Engine
from django.utils.functional import cached_property

from conversations.models import Message, Reply

Planted = Callable[[], Any]
TEMPLATES = Path(__file__).parent / "templates"


def foreign_key() -> None:
    for entry in LogEntry.objects.all():
        str(entry.user.username)  # N+1: select_related("user") to the query of LogEntry


def foreign_key_in_comprehension() -> None:
    rows = Permission.objects.all()[:9]
    [row.content_type.model for row in rows]  # N+1: select_related("content_type")


def reverse_foreign_key() -> None:
    for user in User.objects.all():
        list(user.logentry_set.all())  # N+1: prefetch_related("logentry_set") to the query of User


def many_to_many() -> None:
    for user in User.objects.all():
        list(user.groups.all())  # N+1: prefetch_related("groups") to the query of User


def many_to_many_backwards() -> None:
    for group in Group.objects.all():
        list(group.user_set.all())  # N+1: prefetch_related("user_set") to the query of Group


def count_of_each() -> None:
    for user in User.objects.all():
        user.logentry_set.count()  # N+1: Annotate the query of User


def exists_of_each() -> None:
    for group in Group.objects.all():
        group.permissions.filter(codename="add_user").exists()  # N+1: Exists


def first_of_each() -> None:
    for user in User.objects.all():
        user.logentry_set.order_by("-pk").first()  # N+1: prefetch_related("logentry_set")


def one_to_one() -> None:
    for reply in Reply.objects.all():
        str(reply.message.text)  # N+1: select_related("message") to the query of Reply


def one_to_one_backwards() -> None:
    for message in Message.objects.all():
        str(message.reply.status)  # N+1: select_related("reply") to the query of Message


def get_by_key() -> None:
    for key in list(User.objects.values_list("pk", flat=True)):
        User.objects.get(pk=key)  # N+1: in_bulk() or filter(id__in=...)


def get_by_name() -> None:
    for name in ("g0", "g1", "g2", "g3"):
        Group.objects.filter(name=name).first()  # N+1: filter(name__in=...)


def deferred() -> None:
    for user in User.objects.only("username"):
        str(user.email)  # N+1: User.email


def recursive(number: int = 0) -> None:
    users = list(User.objects.order_by("pk"))
    _descend(users)


def _descend(users: list[User]) -> None:
    if users:
        list(LogEntry.objects.filter(user=users[0]))  # N+1: prefetch_related("logentry_set")
        _descend(users[1:])


class _Card:
    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def groups(self) -> list[str]:
        return [group.name for group in self.user.groups.all()]  # N+1: prefetch_related("groups")


def behind_a_property() -> None:
    for card in [_Card(user) for user in User.objects.all()]:
        str(card.groups)


def prefetch_in_a_loop() -> None:
    for user in User.objects.all():
        prefetch_related_objects([user], "logentry_set")  # N+1: prefetch_related("logentry_set")


def prefetch_of_changing_length() -> None:
    for size in (1, 2, 3, 4):
        some = [Group(pk=10 * size + number) for number in range(size)]
        prefetch_related_objects(some, "permissions")  # N+1: prefetch_related("permissions")


def raw_sql() -> None:
    sql = "SELECT name FROM auth_group WHERE id = %s"
    with connection.cursor() as cursor:
        for number in range(5):
            cursor.execute(sql, [number])  # N+1: filter(id__in=...)


def raw_sql_with_values_written_in() -> None:
    sql = "SELECT name FROM auth_group WHERE id = "
    with connection.cursor() as cursor:
        for number in range(16):
            cursor.execute(f"{sql}{number}")  # N+1: filter(id__in=...)


def asynchronous() -> None:
    async def view() -> None:
        async for entry in LogEntry.objects.all():
            await User.objects.aget(pk=entry.user_id)  # N+1: select_related("user")

    async_to_sync(view)()


def gathered() -> None:
    async def one(key: int) -> User | None:
        return await User.objects.filter(pk=key).afirst()  # N+1: in_bulk()

    async def view() -> None:
        await asyncio.gather(*(one(key) for key in range(6)))

    async_to_sync(view)()


def on_a_thread() -> None:
    def groups(user: User) -> list[Group]:
        return list(user.groups.all())  # N+1: prefetch_related("groups") to the query of User

    async def view() -> None:
        for user in [user async for user in User.objects.all()]:
            await sync_to_async(groups)(user)

    async_to_sync(view)()


def template() -> None:
    """The line is the template's."""
    engine = Engine(dirs=[str(TEMPLATES)])
    engine.get_template("entries.html").render(Context({"entries": LogEntry.objects.all()}))


def template_with_a_related_manager() -> None:
    engine = Engine(dirs=[str(TEMPLATES)])
    engine.get_template("groups.html").render(Context({"users": User.objects.all()}))


PLANTED: list[Planted] = [
    *(foreign_key, foreign_key_in_comprehension, reverse_foreign_key, many_to_many),
    *(many_to_many_backwards, count_of_each, exists_of_each, first_of_each, one_to_one),
    *(one_to_one_backwards, get_by_key, get_by_name, deferred, recursive, behind_a_property),
    *(prefetch_in_a_loop, prefetch_of_changing_length, raw_sql, raw_sql_with_values_written_in),
    *(asynchronous, gathered, on_a_thread, template, template_with_a_related_manager),
]
_ELSEWHERE = {"recursive": _descend, "behind_a_property": _Card}
_TEMPLATES = {"template": "entries.html", "template_with_a_related_manager": "groups.html"}


def expected(planted: Planted) -> tuple[str, int, str]:
    """File name, line and part of the remedy."""
    name = planted.__name__
    if name in _TEMPLATES:
        lines, start = (TEMPLATES / _TEMPLATES[name]).read_text().splitlines(), 1
        file = _TEMPLATES[name]
    else:
        lines, start = inspect.getsourcelines(_ELSEWHERE.get(name, planted))
        file = Path(__file__).name
    offset, line = next((i, line) for i, line in enumerate(lines) if "N+1: " in line)
    return file, start + offset, line.partition("N+1: ")[2].removesuffix(" #}").strip()
