"""One id from the browser's request through the job to the reply's row, in the logs of both processes."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.test import Client

from conversations.models import Reply, Status
from conversations.streams.events import stream_key
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


def test_request_job_and_reply_share_an_id_and_no_text_is_logged(
    tmp_path: Path, queue_redis: Any
) -> None:
    conversation = ConversationFactory()
    client = Client()
    client.force_login(conversation.user)
    cookies = f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}"
    with Site(tmp_path, LOG_FORMAT="json", LOG_LEVEL="INFO") as site:
        body = f"text=say+{CANARY}&key={uuid.uuid4()}".encode()
        headers = {"Cookie": cookies, "X-CSRFToken": TOKEN, "HX-Request": "true"}
        url = f"{site.url}/c/{conversation.pk}/messages/?q={CANARY}"
        with urlopen(Request(url, body, headers), timeout=20) as response:
            assert response.status == 201
            answered = response.headers["X-Request-ID"]
        deadline = time.monotonic() + 20
        while not Reply.objects.filter(status=Status.COMPLETE).exists():
            assert time.monotonic() < deadline, site.log("worker")
            time.sleep(0.05)
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
