"""A stream has what a page has: an id, a span, a line in the log, a place where staff find it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from asgiref.sync import async_to_sync
from django.test import Client
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from chatsite import event_streams
from chatsite.asgi import application
from chatsite.request_ids import trace_id_of
from chatsite.tracing.provider import RequestIds
from chatsite.tracing.tracer import OpenTelemetryTracer
from conversations import streams
from conversations.models import Conversation
from conversations.streams.hub import close_hub
from performance import metrics, tracing
from performance.metrics import trail
from tests.factories import ConversationFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("queue_redis")]

CLAIMED = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"
GIVEN = "5f0c7c1e-1111-4222-8333-444455556666"
Headers = list[tuple[bytes, bytes]]


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory()
    return made


@pytest.fixture
def ended() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(id_generator=RequestIds())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(OpenTelemetryTracer(provider.get_tracer("test")))
    yield exporter
    tracing.use(None)


def signed_in(conversation: Conversation) -> Headers:
    client = Client()
    client.force_login(conversation.user)
    return [(b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode())]


def watched(conversation: Conversation, headers: Headers, *, until: bytes = b"") -> dict[str, Any]:
    """Opens the stream at the site's root and leaves it once `until` was sent: status, headers, body."""
    got: dict[str, Any] = {"body": b""}
    path = f"/c/{conversation.pk}/events/"
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}

    async def scenario() -> None:
        seen = asyncio.Event()

        async def send(message: Any) -> None:
            got.update({name: message[name] for name in ("status",) if name in message})
            got.setdefault("headers", dict(message.get("headers", [])))
            got["body"] += message.get("body", b"")
            if until and until in got["body"]:
                seen.set()

        async def receive() -> Any:
            await seen.wait()
            return {"type": "http.disconnect"}

        try:
            async with asyncio.timeout(5):
                await application(scope, receive, send)  # type: ignore[arg-type]
        finally:
            await close_hub()

    async_to_sync(scenario)()
    return got


def of_the_stream(ended: InMemorySpanExporter) -> ReadableSpan:
    return next(s for s in ended.get_finished_spans() if s.name == "GET /c/<uuid:pk>/events/")


@pytest.mark.parametrize("behind_proxy", [True, False])
def test_the_answer_tells_an_id_and_a_proxy_may_give_it(
    conversation: Conversation, settings: Any, behind_proxy: bool
) -> None:
    settings.BEHIND_PROXY = behind_proxy
    headers = [*signed_in(conversation), (b"x-request-id", GIVEN.encode())]
    got = watched(conversation, headers, until=b"retry: ")
    told = got["headers"][b"x-request-id"].decode()
    assert (told == GIVEN) is behind_proxy
    assert len(told) == 36


def test_what_is_no_id_is_not_taken(conversation: Conversation, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    headers = [*signed_in(conversation), (b"x-request-id", b"no id at all")]
    told = watched(conversation, headers, until=b"retry: ")["headers"][b"x-request-id"]
    assert len(told) == 36


def test_a_refusal_tells_its_id_too(conversation: Conversation) -> None:
    got = watched(conversation, [])
    assert got["status"] == 404
    assert len(got["headers"][b"x-request-id"]) == 36


def test_it_is_one_span_that_knows_what_came_of_the_stream(
    conversation: Conversation, ended: InMemorySpanExporter
) -> None:
    streams.announce(conversation.pk, "message", m=1)
    got = watched(conversation, signed_in(conversation), until=b"event: message")
    span = of_the_stream(ended)
    told = span.attributes or {}
    request_id = got["headers"][b"x-request-id"].decode()
    assert told["request_id"] == request_id
    assert told["http.response.status_code"] == 200
    assert told["chatsite.stream.frames"] == 1
    assert told["chatsite.stream.ended"] == "left"
    assert told["http.response.body.size"] == len(got["body"])
    assert span.parent is None
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == trace_id_of(request_id)


def test_behind_a_proxy_it_goes_on_with_the_proxys_trace(
    conversation: Conversation, ended: InMemorySpanExporter, settings: Any
) -> None:
    settings.BEHIND_PROXY = True
    watched(conversation, [*signed_in(conversation), (b"traceparent", CLAIMED)], until=b"retry: ")
    parent = of_the_stream(ended).parent
    assert parent is not None
    assert f"{parent.span_id:016x}" == "b" * 16


def test_what_serves_all_streams_belongs_to_none(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound: list[dict[str, Any]] = []

    async def places(_client: object) -> list[Any]:
        bound.append(structlog.contextvars.get_contextvars())
        return []

    monkeypatch.setattr("conversations.streams.waiting.places", places)
    streams.announce(conversation.pk, "message", m=1)
    watched(conversation, signed_in(conversation), until=b"event: message")
    assert bound
    assert not any(bound)


def test_its_end_is_a_line_in_the_log(conversation: Conversation) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        got = watched(conversation, signed_in(conversation), until=b"retry: ")
    line = next(line for line in lines if line["event"] == "stream_ended")
    assert line["request_id"] == got["headers"][b"x-request-id"].decode()
    assert (line["code"], line["ended"], line["bytes"]) == (200, "left", len(got["body"]))


def test_staff_find_it_by_its_id(conversation: Conversation) -> None:
    got = watched(conversation, signed_in(conversation), until=b"retry: ")
    metrics.flush()
    steps = trail.of(got["headers"][b"x-request-id"].decode())
    assert [(step.what, step.how) for step in steps] == [
        ("conversations:events", "opened"),
        ("conversations:events", "left"),
    ]


@pytest.mark.parametrize("when", ["before it is answered", "after"])
def test_a_fault_ends_the_stream_and_is_told_without_its_message(
    conversation: Conversation,
    ended: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise ValueError("canary-77")

    place = "app.follower" if when.startswith("before") else "line._checked"
    monkeypatch.setattr(f"conversations.streams.{place}", fail)
    with capture_logs() as lines:
        got = watched(conversation, signed_in(conversation))
    assert got["status"] == (500 if when.startswith("before") else 200)
    assert "stream_failed" in [line["event"] for line in lines]
    span = of_the_stream(ended)
    assert (span.attributes or {})["error.type"] in {"ValueError", "500"}
    assert "canary-77" not in span.to_json() + repr(got)


def test_a_frame_costs_no_call_of_what_measures(
    conversation: Conversation, ended: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    real: Callable[..., None] = metrics.record

    def counted(do: Any, *arguments: Any) -> None:
        calls.append(do.__name__)
        real(do, *arguments)

    monkeypatch.setattr(metrics, "record", counted)
    for number in range(50):
        streams.announce(conversation.pk, "message", m=number)
    calls.clear()
    watched(conversation, signed_in(conversation), until=b'{"m":49}')
    assert len(calls) <= 6
    assert (of_the_stream(ended).attributes or {})["chatsite.stream.frames"] == 50
    assert event_streams.ROUTE in of_the_stream(ended).name
