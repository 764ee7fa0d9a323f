"""What is claimed of pages and of the start."""

from __future__ import annotations

from tests.benchmarks.claimed.claim import at_most

CLAIMS = (
    at_most(
        "CPU of a served page to the same page in Django's WSGI handler, worst of ten",
        "pages/ratios/worst_served_to_handler",
        1.15,
        why_not="HTTP and the hop to a thread add 0.3 to 0.5 ms whatever the page, and a page that is kept rendered is little more than that itself",
    ),
    at_most(
        "Cores for 10,000 conversation pages a second",
        "pages/figures/conversation_cores_for_10000_a_second",
        2,
        " cores",
        why_not="a session, a user, the middleware and the compression of 60 KB are a millisecond of work",
    ),
    at_most("`import chatsite.asgi` takes", "start/figures/import_seconds", 2.5, " s"),
    at_most("Memory of a web process that has just started", "start/figures/worker_mb", 85, " MB"),
    at_most(
        "From `git clone` to a first answer, packages in the installer's cache",
        "start/figures/clone_to_answer_seconds",
        60,
        " s",
    ),
)
BUDGETS = ()
