from __future__ import annotations

import asyncio
import threading
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from chatsite import pages
from chatsite.pages import Pages, environ

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "path": "/é/",
    "raw_path": b"/%C3%A9/",
    "query_string": b"a=1&b=%20",
    "http_version": "1.1",
    "scheme": "http",
    "server": ("127.0.0.1", 8000),
    "client": ("127.0.0.9", 5000),
    "headers": [
        (b"host", b"localhost:8000"),
        (b"content-type", b"text/plain"),
        (b"content-length", b"5"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"x_forwarded_proto", b"https"),
        (b"x-forwarded-for", b"1.1.1.1"),
        (b"x-forwarded-for", b"2.2.2.2"),
    ],
}


def test_the_environ_is_what_wsgi_promises() -> None:
    values = environ(SCOPE, BytesIO())

    assert values["PATH_INFO"].encode("latin-1").decode() == "/é/"
    assert values["QUERY_STRING"] == "a=1&b=%20"
    assert (values["CONTENT_TYPE"], values["CONTENT_LENGTH"]) == ("text/plain", "5")
    assert values["HTTP_COOKIE"] == "a=1; b=2"
    assert values["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"
    assert values["REMOTE_ADDR"] == "127.0.0.9"


def test_a_header_with_an_underscore_cannot_pass_for_a_proxys() -> None:
    assert "HTTP_X_FORWARDED_PROTO" not in environ(SCOPE, BytesIO())


class Exchange:
    """Sends `chunks` as the request's body and keeps the messages of the response."""

    def __init__(self, *chunks: bytes, disconnect: bool = False) -> None:
        last = len(chunks) - 1
        self.requests: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": number < last}
            for number, chunk in enumerate(chunks)
        ]
        if disconnect:
            self.requests = [{"type": "http.disconnect"}]
        self.messages: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        return self.requests.pop(0)

    async def send(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


def call(view: Any, exchange: Exchange) -> Exchange:
    """Runs one request through Pages around a handler that does with `view` what Django's does."""

    def handler(values: dict[str, Any], start_response: Any) -> HttpResponse:
        response: HttpResponse = view(values)
        start_response(f"{response.status_code} X", list(response.items()))
        return response

    async_to_sync(Pages(handler, threads=1))(SCOPE, exchange.receive, exchange.send)
    return exchange


def test_the_body_reaches_the_view_whole() -> None:
    exchange = call(
        lambda values: HttpResponse(values["wsgi.input"].read()), Exchange(b"he", b"llo")
    )

    assert exchange.body == b"hello"
    assert exchange.messages[0]["status"] == 200


def test_a_chunked_body_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = [(b"transfer-encoding", b"chunked")]
    monkeypatch.setitem(SCOPE, "headers", headers)

    exchange = call(lambda values: HttpResponse(values["CONTENT_LENGTH"]), Exchange(b"he", b"llo"))

    assert exchange.body == b"5"


def test_a_streamed_response_goes_out_as_it_comes() -> None:
    response = StreamingHttpResponse(iter([b"one", b"two"]))

    exchange = call(lambda _values: response, Exchange(b""))

    assert [message.get("body") for message in exchange.messages] == [None, b"one", b"two", b""]
    assert response.closed


def test_a_body_above_the_limit_is_refused_before_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "BODY_LIMIT", 4)

    exchange = call(lambda _values: pytest.fail("the view ran"), Exchange(b"123", b"45"))

    assert exchange.messages[0]["status"] == 413


def test_a_browser_that_left_costs_no_view() -> None:
    exchange = call(lambda _values: pytest.fail("the view ran"), Exchange(disconnect=True))

    assert exchange.messages == []


def test_a_request_that_announces_no_body_is_not_asked_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SCOPE, "headers", [(b"host", b"localhost")])

    exchange = call(lambda values: HttpResponse(values["wsgi.input"].read() or b"none"), Exchange())

    assert exchange.body == b"none"


def test_a_newer_http_need_not_announce_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCOPE, "headers", [(b"content-type", b"text/plain")])
    monkeypatch.setitem(SCOPE, "http_version", "2")

    exchange = call(lambda _values: HttpResponse(b"asked"), Exchange(b"he", b"llo"))

    assert exchange.body == b"asked"
    assert exchange.requests == []


def test_what_the_handler_raises_reaches_the_server_and_the_thread_goes_on() -> None:
    def handler(values: dict[str, Any], start_response: Any) -> HttpResponse:
        if values["REQUEST_METHOD"] == "POST":
            raise LookupError("broken")
        start_response("200 OK", [])
        return HttpResponse(b"well")

    broken = Pages(handler, threads=1)

    async def scenario() -> bytes:
        for _ in range(2):
            exchange = Exchange(b"")
            with pytest.raises(LookupError, match="broken"):
                await broken(SCOPE, exchange.receive, exchange.send)
        exchange = Exchange(b"")
        await broken(SCOPE | {"method": "GET"}, exchange.receive, exchange.send)
        return exchange.body

    assert async_to_sync(scenario)() == b"well"


def test_a_request_that_is_given_up_leaves_its_thread_to_the_next() -> None:
    go_on = threading.Event()

    def handler(_values: HttpRequest, start_response: Any) -> HttpResponse:
        go_on.wait(5)
        start_response("200 OK", [])
        return HttpResponse(b"done")

    async def scenario() -> bytes:
        busy = Pages(handler, threads=1)
        task = asyncio.create_task(busy(SCOPE, Exchange(b"").receive, Exchange(b"").send))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        after = Exchange(b"")
        await busy(SCOPE, after.receive, after.send)
        return after.body

    assert async_to_sync(scenario)() == b"done"


def test_a_request_that_is_given_up_before_its_turn_costs_no_view() -> None:
    go_on, asked = threading.Event(), []

    def handler(values: dict[str, Any], start_response: Any) -> HttpResponse:
        asked.append(values["QUERY_STRING"])
        go_on.wait(5)
        start_response("200 OK", [])
        return HttpResponse(b"done")

    async def scenario() -> None:
        busy = Pages(handler, threads=1)
        first, second, third = (
            asyncio.create_task(
                busy(SCOPE | {"query_string": name}, Exchange(b"").receive, Exchange().send)
            )
            for name in (b"first", b"second", b"third")
        )
        await asyncio.sleep(0)
        second.cancel()
        go_on.set()
        await asyncio.gather(first, third)

    async_to_sync(scenario)()
    assert asked == ["first", "third"]


def test_requests_run_side_by_side() -> None:
    together = threading.Barrier(2, timeout=5)

    def handler(_values: HttpRequest, start_response: Any) -> HttpResponse:
        together.wait()
        start_response("200 OK", [])
        return HttpResponse(b"met")

    both = Pages(handler, threads=2)

    async def scenario() -> list[bytes]:
        exchanges = [Exchange(b""), Exchange(b"")]
        await asyncio.gather(*(both(SCOPE, one.receive, one.send) for one in exchanges))
        return [one.body for one in exchanges]

    assert async_to_sync(scenario)() == [b"met", b"met"]


def test_beyond_a_line_of_a_length_the_next_are_told_to_come_back_and_nobody_stays_refused() -> (
    None
):
    go_on = threading.Event()

    def handler(_values: HttpRequest, start_response: Any) -> HttpResponse:
        go_on.wait(5)
        start_response("200 OK", [])
        return HttpResponse(b"done")

    async def scenario() -> tuple[list[Exchange], Exchange, Exchange]:
        busy = Pages(handler, threads=1)
        waiting = [Exchange(b"") for _ in range(pages.WAITING)]
        tasks = [asyncio.create_task(busy(SCOPE, one.receive, one.send)) for one in waiting]
        await asyncio.sleep(0)
        refused, after = Exchange(b""), Exchange(b"")
        await busy(SCOPE, refused.receive, refused.send)
        go_on.set()
        await asyncio.gather(*tasks)
        await busy(SCOPE, after.receive, after.send)
        return waiting, refused, after

    waiting, refused, after = async_to_sync(scenario)()
    assert refused.messages[0]["status"] == 503
    assert (b"retry-after", b"2") in refused.messages[0]["headers"]
    assert all(one.body == b"done" for one in [*waiting, after])
