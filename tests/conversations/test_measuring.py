from __future__ import annotations

from typing import Any

import pytest

from performance import metrics
from tests.conversations.test_replies import ask, scripted, write
from tests.performance.metrics.stored import found

__all__ = ["scripted"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("scripted", "queue_redis", "cache_redis"),
]


def test_a_reply_leaves_its_figures(settings: Any) -> None:
    backend = settings.CHAT_BACKENDS["default"]["BACKEND"]
    options = {"BACKEND": backend, "OPTIONS": {"prices": (1_000_000, 2_000_000)}}
    settings.CHAT_BACKENDS = {"default": options}
    write(ask("say Hello there"))
    metrics.flush()

    assert found("reply_seconds", backend="default", status="complete").count == 1
    first = found("reply_first_token_seconds", backend="default")
    assert first.count == 1
    assert 0 <= first.sum <= found("reply_seconds", backend="default", status="complete").sum
    assert found("reply_tokens", backend="default", kind="input").count == 1
    assert found("reply_tokens", backend="default", kind="output").count == 7
    assert found("reply_cost", backend="default").count == 15
    assert found("chat_backend_errors", backend="default", error="unreachable").count == 0


def test_an_earlier_answer_shown_again_is_no_work_of_the_backend() -> None:
    first = ask("say Hello there")
    write(first)
    again = ask("say Hello there")
    again.message.conversation.user = first.message.conversation.user
    again.message.conversation.save()
    write(again)
    metrics.flush()

    assert found("reply_seconds", backend="default", status="complete").count == 2
    assert found("reply_first_token_seconds", backend="default").count == 1


def test_failures_are_counted_by_their_code() -> None:
    write(ask("fail timeout"))
    metrics.flush()

    assert found("reply_seconds", backend="default", status="failed").count == 1
    assert found("chat_backend_errors", backend="default", error="timeout").count == 1
