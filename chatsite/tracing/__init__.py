"""Traces over OTLP. Imported only where OTEL_EXPORTER_OTLP_ENDPOINT is set: it takes half a second.

A trace begins with a browser's request (chatsite.tracing.middleware) and goes on in the jobs that the
request enqueued, their chat backend's and tools' calls, SQL and Redis. SQL has its values taken out,
Redis commands too; nothing that a person wrote is in a span.
"""

from __future__ import annotations

from chatsite.tracing.provider import start

__all__ = ["start"]
