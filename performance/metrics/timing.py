"""`timed`: seconds of a block or of each call of a function."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Timed:
    """A context manager, and a decorator of plain and coroutine functions."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._began: list[float] = []  # a stack: one object may be entered again inside itself

    def __enter__(self) -> None:
        self._began.append(time.perf_counter())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._observe(time.perf_counter() - self._began.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: P.args, **kwargs: P.kwargs) -> Any:
                with Timed(self._observe):
                    return await function(*args, **kwargs)

            return coroutine  # type: ignore[return-value]

        @functools.wraps(function)
        def plain(*args: P.args, **kwargs: P.kwargs) -> R:
            with Timed(self._observe):
                return function(*args, **kwargs)

        return plain
