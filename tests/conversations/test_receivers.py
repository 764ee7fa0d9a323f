from __future__ import annotations

import threading
from typing import Any

from conversations.ai.base import ChatBackend
from performance.queues.signals import worker_started

prepared = threading.Event()


class SlowToLoad(ChatBackend):
    def prepare(self) -> None:
        prepared.set()


def test_a_worker_that_starts_prepares_the_assistant(settings: Any) -> None:
    backend = f"{SlowToLoad.__module__}.{SlowToLoad.__qualname__}"
    settings.CHAT_BACKENDS = {"default": {"BACKEND": backend}}

    worker_started.send(object, worker="w")

    assert prepared.wait(5)
