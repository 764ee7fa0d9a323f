"""Measures requests and tells staff, in the Server-Timing header, where the time of a page went.

It stands at the top of MIDDLEWARE, below QueryLogMiddleware: what stands above it is not measured. One
class for sync and async, with no process_view and the like, which would cost a thread hop each under
ASGI. It asks neither the database nor Redis for anything.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from performance import conf, metrics, spending
from performance.metrics.recorders import requests
from performance.middleware.bodies import measured
from performance.queries import scope
from performance.spending import Spending

SLOW = 1.0  # seconds from which on an alert may name a request
ID = "X-Request-ID"  # the header of an answer by which its request is found again

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class PerformanceMiddleware:
    """One event for each request, when its body ends; nothing for ignored paths."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        settings = conf.current().metrics
        if not settings.enabled:
            raise MiddlewareNotUsed("PERFORMANCE['METRICS']['ENABLED'] is off.")
        self.get_response = get_response
        self._ignored = tuple(settings.ignore_paths)
        self._weight = max(settings.sample_requests, 1)
        self._numbers = itertools.count()
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)
        metrics.on_flush(requests.sample_in_flight)

    def __call__(self, request: HttpRequest) -> Answer:
        if self._async:
            return self.__acall__(request)
        if self._passes(request):
            return self.get_response(request)
        watch = Watch(self._weight)
        response = None
        try:
            response = cast("HttpResponseBase", self.get_response(request))
        finally:
            watch.answered(request, response)
        return response

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        if self._passes(request):
            return await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        watch = Watch(self._weight)
        response = None
        try:
            response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        finally:
            watch.answered(request, response)
        return response

    def _passes(self, request: HttpRequest) -> bool:
        if request.path_info.startswith(self._ignored):
            return True
        return self._weight > 1 and next(self._numbers) % self._weight != 0


class Watch:
    """One request, from here to the last byte of its body."""

    __slots__ = (
        *("_before", "_began", "_id", "_is_own", "_method"),
        *("_seen", "_spending", "_view", "_weight"),
    )

    def __init__(self, weight: int) -> None:
        self._weight = weight
        self._id = ""
        self._spending = Spending()
        self._before = spending.enter(self._spending)
        self._seen = scope.current()
        self._is_own = self._seen is None and conf.current().queries.enabled
        if self._is_own:
            # Without QueryLogMiddleware the statements are counted, not logged.
            self._seen = scope.Scope("count", "")
            scope.enter(self._seen)
        requests.in_flight.add(self)
        self._began = time.perf_counter()

    def answered(self, request: HttpRequest, response: HttpResponseBase | None) -> None:
        """The view is done; `response` is None where it was cancelled because the browser left."""
        spending.enter(self._before)
        if self._is_own:
            scope.enter(None)
        match = request.resolver_match
        self._view = match.view_name if match else "unresolved"
        self._method = request.method
        if response is None:
            self._end(requests.ABORTED, 0)
            return
        status = requests.status_of(response.status_code)
        self._id = response.headers.get(ID, "")
        if _is_staff(request):
            response.headers["Server-Timing"] = self._server_timing()
        if not response.streaming:
            self._end(status, len(response.content))  # type: ignore[attr-defined]
        elif not measured(response, lambda size: self._end(status, size)):
            self._end(status, 0)

    def _end(self, status: str, size: int) -> None:
        requests.in_flight.discard(self)
        took = time.perf_counter() - self._began
        metrics.record(
            requests.ended,
            self._view,
            (self._method, status, size),
            took,
            (self._seen, self._spending),
            self._weight,
        )
        metrics.remember(self._id, (self._view, self._method or "", status), took)
        if status == "5xx" or took > SLOW:
            requests.leave_example(self._id, self._view, self._method, status, took)

    def _server_timing(self) -> str:
        parts = [("cache", self._spending.cache, ""), ("render", self._spending.render, "")]
        if self._seen is not None:
            count = self._seen.count
            parts.insert(0, ("db", self._seen.seconds, f'desc="{count} queries";'))
        parts.append(("total", time.perf_counter() - self._began, ""))
        return ", ".join(f"{name};{text}dur={seconds * 1000:.1f}" for name, seconds, text in parts)


def _is_staff(request: HttpRequest) -> bool:
    """Of a user that something has asked for; asking here would cost every page a query."""
    user: Any = getattr(request, "_cached_user", None) or getattr(request, "_acached_user", None)
    return user is not None and user.is_active and user.is_staff
