"""Repeated statements that one statement cannot replace, or should not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import batched
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core.paginator import Paginator
from django.db import DatabaseError, connection, transaction
from django.db.models import Prefetch

Innocent = Callable[[], Any]


def server_side_cursor() -> None:
    with transaction.atomic():
        for _ in Permission.objects.iterator(chunk_size=5):
            pass


def prefetched() -> None:
    for user in User.objects.prefetch_related("groups", "logentry_set"):
        list(user.groups.all())
        list(user.logentry_set.all())


def prefetched_in_chunks() -> None:
    for group in Group.objects.prefetch_related("permissions").iterator(chunk_size=2):
        list(group.permissions.all())


def prefetched_with_a_query() -> None:
    entries = LogEntry.objects.order_by("-pk").select_related("user")
    for user in User.objects.prefetch_related(Prefetch("logentry_set", entries)):
        [entry.user.username for entry in user.logentry_set.all()]


def select_related() -> None:
    for entry in LogEntry.objects.select_related("user"):
        str(entry.user.username)


def asked_in_batches() -> None:
    keys = list(Permission.objects.values_list("pk", flat=True)[:40])
    for some in batched(keys, 10):
        Permission.objects.in_bulk(list(some))


def asked_with_arrays() -> None:
    with connection.cursor() as cursor:
        for some in ([1, 2, 3], [4, 5, 6], [7, 8, 9], [10]):
            cursor.execute("SELECT name FROM auth_group WHERE id = ANY(%s)", [some])


def keyset_pages() -> None:
    last = 0
    while page := list(Permission.objects.filter(pk__gt=last).order_by("pk")[:10]):
        last = page[-1].pk


def keyset_pages_of_one_parent() -> None:
    user = User.objects.earliest("pk")
    last = 0
    for _ in range(4):
        page = list(LogEntry.objects.filter(user=user, pk__gt=last).order_by("pk")[:1])
        last = page[-1].pk if page else last


def offset_pages() -> None:
    pages = Paginator(Permission.objects.order_by("pk"), 10)
    for number in range(1, 5):
        list(pages.page(number))


def offset_pages_of_one_parent() -> None:
    user = User.objects.earliest("pk")
    for start in range(15):
        list(LogEntry.objects.filter(user=user)[start : start + 1])


def retries() -> None:
    for _ in range(4):
        with suppress(DatabaseError), transaction.atomic():
            connection.cursor().execute("SELECT nothing FROM auth_group WHERE id = %s", [1])


def claims_with_a_lock() -> None:
    for _ in range(4):
        with transaction.atomic():
            Group.objects.select_for_update(skip_locked=True).filter(name="g1").first()


def advisory_locks() -> None:
    for _ in range(4):
        with transaction.atomic():
            connection.cursor().execute("SELECT pg_try_advisory_xact_lock(%s)", [1])


def read_again_after_writing() -> None:
    for number in range(4):
        Group.objects.create(name=f"new {number}")
        Group.objects.count()


def savepoints() -> None:
    with transaction.atomic():
        for _ in range(5):
            with transaction.atomic():
                pass


def rows_in_bulk() -> None:
    Group.objects.bulk_create([Group(name=f"bulk {n}") for n in range(40)], batch_size=10)


def many_values() -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE auth_group SET name = %s WHERE id = %s", [("x", n) for n in range(20)]
        )


def three_users_in_three_lines() -> None:
    User.objects.filter(pk=1).first()
    User.objects.filter(pk=2).first()
    User.objects.filter(pk=3).first()
    User.objects.filter(pk=4).first()


def twice_in_a_loop() -> None:
    for number in range(2):
        User.objects.filter(pk=number).first()


def few_writes() -> None:
    for group in Group.objects.all()[:4]:
        group.save()


def different_questions() -> None:
    for model in (User, Group, Permission, LogEntry):
        model._default_manager.count()


def statements_of_async_code_in_a_row() -> None:
    async def view() -> None:
        await User.objects.acount()
        await User.objects.afirst()
        [user async for user in User.objects.all()]

    async_to_sync(view)()


INNOCENT: list[Innocent] = [
    *(server_side_cursor, prefetched, prefetched_in_chunks, prefetched_with_a_query),
    *(select_related, asked_in_batches, asked_with_arrays, keyset_pages),
    *(keyset_pages_of_one_parent, offset_pages, offset_pages_of_one_parent, retries),
    *(
        claims_with_a_lock,
        advisory_locks,
        read_again_after_writing,
        savepoints,
        rows_in_bulk,
        many_values,
    ),
    *(three_users_in_three_lines, twice_in_a_loop, few_writes, different_questions),
    *(statements_of_async_code_in_a_row,),
]
