"""A staff page that finds all that one id left behind or still has to do: requests and event streams, jobs
that wait or run, replies, what model and tools did for them, tasks, noted queries, alerts that name it or
were firing meanwhile, and its trace.

The id is a request's (X-Request-ID), a reply's correlation id, or a task's. Each part is shown to those who
may view its rows in the admin, and none of it holds what people wrote.
"""

from __future__ import annotations

from chatsite.happened.page import happened

__all__ = ["happened"]
