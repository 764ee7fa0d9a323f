"""Traces of the running site, received by an OTLP receiver that is not ours."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import msgspec
import pytest
from django.conf import settings
from django.test import Client

from chatsite.request_ids import trace_id_of
from conversations.models import Reply, Status
from tests.factories import ConversationFactory
from tests.servers import free_port
from tests.site import Site

CANARY = "canary-8472"
TOKEN = "t" * 32


@contextmanager
def receiver(directory: Path) -> Iterator[tuple[int, Path]]:
    """oteltap on a port; what it receives is a file of JSON lines."""
    port, file = free_port(), directory / "spans"
    with file.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chatsite.tracing.receive", str(port)], stdout=out
        )
        try:
            yield port, file
        finally:
            process.terminate()
            process.wait(10)


def spans(file: Path) -> dict[str, dict[str, Any]]:
    found = map(msgspec.json.decode, file.read_bytes().splitlines())
    return {span["name"]: span for span in found}


def wait_for(file: Path, *names: str) -> dict[str, dict[str, Any]]:
    deadline = time.monotonic() + 15
    while not set(names) <= set(found := spans(file)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow  # a web server and a worker start
def test_a_request_its_job_and_the_calls_in_it_are_one_trace_without_a_word_of_the_user(
    tmp_path: Path, queue_redis: Any
) -> None:
    conversation, client = ConversationFactory(), Client()
    client.force_login(conversation.user)
    cookies = (
        f"{settings.SESSION_COOKIE_NAME}={client.cookies['sessionid'].value}; csrftoken={TOKEN}"
    )
    path = f"/c/{conversation.pk}/messages/"
    with receiver(tmp_path) as (port, file):
        tracing = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        with Site(tmp_path, chat_backend="", LOG_LEVEL="WARNING", **tracing) as site:
            body = f"text=What+is+17*23%3F+{CANARY}&key={uuid.uuid4()}".encode()
            headers = {"Cookie": cookies, "X-CSRFToken": TOKEN, "HX-Request": "true"}
            asked = Request(f"{site.url}{path}?q={CANARY}", body, headers)
            with urlopen(asked, timeout=20) as answer:
                request_id = answer.headers["X-Request-ID"]
            deadline = time.monotonic() + 20
            while not Reply.objects.filter(status=Status.COMPLETE) and time.monotonic() < deadline:
                time.sleep(0.1)
            request = "POST /c/<uuid:pk>/messages/"
            job = "conversations.tasks.write_reply"
            found = wait_for(file, request, job, "chat default", "INSERT default")

    assert {request, job, "chat default", "INSERT default", "SELECT default"} <= set(found)
    assert found[job]["parentSpanId"] == found[request]["spanId"]
    assert found["chat default"]["parentSpanId"] == found[job]["spanId"]
    assert {found[name]["traceId"] for name in (request, job, "chat default")} == {
        found[request]["traceId"]
    }
    # From the id that the browser was given to the trace, and back.
    trace_id = base64.b64decode(found[request]["traceId"]).hex()
    assert trace_id == trace_id_of(request_id)
    said = {one["key"]: one["value"].get("stringValue") for one in found[request]["attributes"]}
    assert said["request_id"] == request_id
    assert any(name.endswith(" cache conversations") for name in found)
    assert CANARY not in file.read_text()
    assert CANARY not in site.log("web") + site.log("worker")


def test_without_an_address_no_tracing_is_imported() -> None:
    # redis-py imports OpenTelemetry's API by itself where that is installed.
    code = (
        "import sys, django; django.setup(); import chatsite.wsgi;"
        "print([name for name in sys.modules"
        " if name.startswith(('chatsite.tracing', 'opentelemetry.sdk.trace', 'opentelemetry.exporter'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"


def test_an_address_without_the_packages_says_what_to_install() -> None:
    code = "import sys; sys.modules['opentelemetry.exporter'] = None; import django; django.setup()"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "install requirements/tracing.txt" in ran.stderr
