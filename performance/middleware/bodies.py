"""Streamed bodies whose end and size somebody wants to know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from django.http.response import HttpResponseBase

Ended = Callable[[int], None]


def measured(response: HttpResponseBase, ended: Ended) -> bool:
    """Has `ended` called once with the streamed body's size when it ends.

    False where there is nothing to follow: a file that the server sends by itself.
    """
    if getattr(response, "file_to_stream", None) is not None:
        return False
    streamed: Any = response
    body = streamed.streaming_content
    streamed.streaming_content = (_ABody if streamed.is_async else _Body)(body, ended)
    return True


class _End:
    """Tells of the end once: of the body, or of a reader who left."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._size = 0
        self._is_over = False

    def close(self) -> None:
        """Django calls it with the response, however the body ended."""
        if not self._is_over:
            self._is_over = True
            self._ended(self._size)


class _Body(_End, Iterator[Any]):
    def __init__(self, chunks: Any, ended: Ended) -> None:
        super().__init__(ended)
        self._chunks = iter(chunks)

    def __next__(self) -> Any:
        try:
            chunk = next(self._chunks)
        except BaseException:
            self.close()
            raise
        self._size += len(chunk)
        return chunk


class _ABody(_End, AsyncIterator[Any]):
    def __init__(self, chunks: Any, ended: Ended) -> None:
        super().__init__(ended)
        self._chunks = aiter(chunks)

    async def __anext__(self) -> Any:
        try:
            chunk = await anext(self._chunks)
        except BaseException:
            self.close()
            raise
        self._size += len(chunk)
        return chunk
