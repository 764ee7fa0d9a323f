"""What the cache tells its observers; none is sent per operation."""

from __future__ import annotations

from django.dispatch import Signal

cache_unavailable = Signal()  # server, error: a server stopped answering
cache_recovered = Signal()  # server, seconds: it answers again
cache_measured = Signal()  # alias, counts: what a process counted since it last said so
