"""One id from the browser's request through the job to the reply's row, in the logs of both processes."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.test import Client

from conversations.models import Conversation, Reply, Status
from conversations.streams.events import stream_key
from performance.models import TaskRun
from tests.factories import ConversationFactory
from tests.site import Site

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,  # starts a web server and a worker
]

TOKEN = "t" * 32
CANARY = "canary-4711"


def lines(site: Site, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in site.log(name).splitlines() if line.startswith("{")]


def ask(site: Site, conversation: Conversation, text: str) -> str:
    """Sends a message as its user does; answers the id that the answer came with."""
    client = Client()
    client.force_login(conversation.user)
    cookies = f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}"
    body = urlencode({"text": text, "key": uuid.uuid4()}).encode()
    headers = {"Cookie": cookies, "X-CSRFToken": TOKEN, "HX-Request": "true"}
    url = f"{site.url}/c/{conversation.pk}/messages/?q={CANARY}"
    with urlopen(Request(url, body, headers), timeout=20) as response:
        assert response.status == 201
        answered: str = response.headers["X-Request-ID"]
    return answered


def wait_for(site: Site, rows: QuerySet[Any]) -> None:
    deadline = time.monotonic() + 20
    while not rows.exists():
        assert time.monotonic() < deadline, site.log("worker")
        time.sleep(0.05)


def test_an_error_that_quotes_the_user_leaves_no_word_of_it_behind(
    tmp_path: Path, queue_redis: Any
) -> None:
    conversation = ConversationFactory()
    with Site(tmp_path, LOG_FORMAT="json", LOG_LEVEL="DEBUG") as site:
        asked = ask(site, conversation, f"fail {CANARY}")
        wait_for(site, Reply.objects.filter(status=Status.FAILED))
        wait_for(site, TaskRun.objects.filter(correlation_id=asked))

    failed = [line for line in lines(site, "worker") if line["event"] == "reply_failed"]
    assert [line["correlation_id"] for line in failed] == [asked]
    assert "in _play" in failed[0]["exception"]
    assert failed[0]["exception"].endswith("ValueError: (its message is left out)")
    examples = queue_redis.lrange("{metrics}:examples", 0, -1)
    rows = [*Reply.objects.values(), *TaskRun.objects.values()]
    staff = Client()
    staff.force_login(User.objects.create_superuser("root"))
    pages = [
        staff.get(path).content.decode()
        for path in (
            f"/admin/happened/?id={asked}",
            "/admin/performance/taskrun/",
            "/admin/conversations/reply/",
            f"/admin/conversations/reply/{rows[0]['id']}/change/",
        )
    ]
    assert "ValueError" not in pages[0]
    assert "Failed" in pages[0]
    for told in (site.log("web"), site.log("worker"), examples, rows, *pages):
        assert CANARY not in str(told)


def test_request_job_and_reply_share_an_id_and_no_text_is_logged(
    tmp_path: Path, queue_redis: Any
) -> None:
    conversation = ConversationFactory()
    with Site(tmp_path, LOG_FORMAT="json", LOG_LEVEL="INFO") as site:
        answered = ask(site, conversation, f"say {CANARY}")
        wait_for(site, Reply.objects.filter(status=Status.COMPLETE))
        reply = Reply.objects.select_related("message").get()

    assert reply.message.text == CANARY
    finished = [line for line in lines(site, "web") if line["event"] == "request_finished"]
    ended = [line for line in lines(site, "worker") if line["event"] == "reply_ended"]
    entries = queue_redis.xrange(stream_key(conversation.pk))
    begun = [entry[b"f"] for _, entry in entries if entry[b"f"].startswith(b"begin ")]
    said = json.loads(begun[0].partition(b" ")[2])["c"]
    logged = {finished[-1]["request_id"], ended[-1]["correlation_id"]}
    assert {answered, reply.correlation_id, said, *logged} == {answered}
    assert CANARY not in site.log("web") + site.log("worker")
