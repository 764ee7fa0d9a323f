"""Opens the scope of a request, so that its statements are counted and logged.

It stands at the top of MIDDLEWARE: what stands above it is not seen. One class for sync and async, with
no process_view and the like, which would cost a thread hop each under ASGI.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from performance import conf
from performance.queries import scope
from performance.queries.scope import Scope

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class QueryLogMiddleware:
    """A scope for each request, save those on paths in METRICS["IGNORE_PATHS"]; that of a streamed
    response ends with its body."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        if not conf.configured().queries.enabled:
            raise MiddlewareNotUsed("PERFORMANCE['QUERIES']['ENABLED'] is off.")
        self.get_response = get_response
        self._ignored = tuple(conf.configured().metrics.ignore_paths)
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        if self._async:
            return self.__acall__(request)
        if self._passes(request):
            return self.get_response(request)
        before = scope.current()
        seen = scope.Scope("request", "", before)
        scope.enter(seen)
        response = None
        try:
            response = cast("HttpResponseBase", self.get_response(request))
        finally:
            scope.enter(before)
            _finish(seen, request, response)
        return response

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        if self._passes(request):
            return await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        before = scope.current()
        seen = scope.Scope("request", "", before)
        scope.enter(seen)
        response = None
        try:
            response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        finally:
            scope.enter(before)
            _finish(seen, request, response)
        return response

    def _passes(self, request: HttpRequest) -> bool:
        """Whether staff have turned it off for now, or nothing is recorded of this path."""
        return not conf.current().queries.enabled or request.path_info.startswith(self._ignored)


def _finish(seen: Scope, request: HttpRequest, response: Any) -> None:
    match = request.resolver_match
    if match is None:
        seen.name = "unresolved"
    else:
        seen.name = match.view_name
        # A class's decorator is on the class, a method's on the function that as_view() made of it.
        view = match.func
        seen.budget = getattr(view, "query_budget", None) or getattr(
            getattr(view, "view_class", None), "query_budget", None
        )
    # A file is sent by the server itself, without a statement.
    if response is None or not response.streaming or getattr(response, "file_to_stream", None):
        seen.close()
        return
    seen.late = True
    body = response.streaming_content
    response.streaming_content = _ABody(body, seen) if response.is_async else _Body(body, seen)


class _Body(Iterator[Any]):
    """A streamed body whose statements belong to the request that began it."""

    def __init__(self, chunks: Any, seen: Scope) -> None:
        self._chunks = iter(chunks)
        self._seen = seen

    def __next__(self) -> Any:
        before = scope.enter(self._seen)
        try:
            return next(self._chunks)
        except BaseException:
            self._seen.close()
            raise
        finally:
            scope.enter(before)

    def close(self) -> None:
        """Django calls it with the response, however the body ended."""
        self._seen.close()


class _ABody(AsyncIterator[Any]):
    """The same for an async body."""

    def __init__(self, chunks: Any, seen: Scope) -> None:
        self._chunks = aiter(chunks)
        self._seen = seen

    async def __anext__(self) -> Any:
        before = scope.enter(self._seen)
        try:
            return await anext(self._chunks)
        except BaseException:
            self._seen.close()
            raise
        finally:
            scope.enter(before)

    def close(self) -> None:
        """As above."""
        self._seen.close()
