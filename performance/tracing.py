"""The seam for traces: a span where somebody collects them, next to nothing where nobody does.

with tracing.span("chat", {"gen_ai.operation.name": "chat"}, kind="client") as span:
    ...
    span.set({"gen_ai.usage.output_tokens": 12})

What collects is given to `use`; this module imports no tracing library. Attributes are names of the
OpenTelemetry semantic conventions and never hold what a person wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

Attributes = Mapping[str, str | int | float | bool]
Kind = Literal["internal", "client", "server", "producer", "consumer"]


class Span(Protocol):
    """One piece of work in a trace."""

    def set(self, attributes: Attributes) -> None:
        """Adds attributes."""

    def rename(self, name: str) -> None:
        """Gives it the name that is known only now."""

    def fail(self, error_type: str) -> None:
        """Marks the span as failed; `error_type` is a name, not a message."""


class Tracer(Protocol):
    """What makes spans."""

    def span(
        self, name: str, kind: Kind, attributes: Attributes, parent: str
    ) -> AbstractContextManager[Span]:
        """A span that ends with the block and is the parent of what is opened inside.

        `parent` is a W3C traceparent; without one it is what is open here.
        """


class _Nothing:
    def set(self, attributes: Attributes) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, error_type: str) -> None: ...


_NOWHERE: AbstractContextManager[Span] = nullcontext(_Nothing())
_tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Sends spans to `tracer` from now on; None: nowhere."""
    global _tracer
    _tracer = tracer


def is_on() -> bool:
    return _tracer is not None


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: Kind = "internal",
    parent: str = "",
) -> AbstractContextManager[Span]:
    """A span around a block, whose exceptions mark it as failed and pass.

    `parent` is the traceparent of a span elsewhere; without one it is what is open here.
    """
    return _NOWHERE if _tracer is None else _tracer.span(name, kind, attributes or {}, parent)
