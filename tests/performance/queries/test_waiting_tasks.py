from __future__ import annotations

import asyncio
import time

import pytest
from asgiref.sync import SyncToAsync, sync_to_async

from performance.queries import waiting_tasks


def found() -> str:
    frame = waiting_tasks.frame_of(lambda code: code.co_name == "ask")
    return frame.f_code.co_name if frame else ""


async def ask() -> str:
    await sync_to_async(int)()  # the thread is there and does not overtake the coroutine
    return await sync_to_async(_after_a_while)()


def _after_a_while() -> str:
    time.sleep(0.02)
    return found()


def test_the_coroutine_that_waits_is_found() -> None:
    assert asyncio.run(ask()) == "ask"


def test_there_is_no_line_where_asgiref_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(SyncToAsync, "threadlocal")

    assert found() == ""


def test_there_is_no_line_where_asyncio_tells_no_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(loop: object) -> None:
        raise TypeError

    monkeypatch.setattr(asyncio, "all_tasks", refuse)
    monkeypatch.setattr(SyncToAsync.threadlocal, "task_context", [], raising=False)
    monkeypatch.setattr(SyncToAsync.threadlocal, "main_event_loop", object(), raising=False)

    assert found() == ""
