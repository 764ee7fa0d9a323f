"""What is claimed of replies and streams."""

from __future__ import annotations

from tests.benchmarks.claimed.claim import at_least, at_most

CLAIMS = (
    at_least(
        "Errors that users see, fewer than without retries, of a model that fails 30 % of calls",
        "failing_model/ratios/fewer",
        90,
        " %",
        factor=100,
    ),
    at_most("Errors of 1,000 people who chat at once", "users/figures/errors", 0),
    at_most(
        "Frames lost or doubled, 1,000 streams at 10 tokens a second",
        "streams/figures/streams_with_lost_or_doubled_tokens",
        0,
    ),
    at_most("Delay of a frame there (p99)", "streams/figures/frame_p99_ms", 150, " ms"),
    at_most("Memory of a stream in the web process", "streams/figures/web_kb_a_stream", 100, " KB"),
    at_most("CPU of a frame to a browser", "streams/figures/web_cpu_us_a_frame", 100, " us"),
    at_most(
        "The platform's share of the time to the first token (p50)",
        "chat/figures/alone_p50_ms",
        25,
        " ms",
        why_not="the request, its transaction, the queue, the worker and the stream, in local mode",
    ),
    at_most("The same (p99)", "chat/figures/alone_p99_ms", 80, " ms"),
    at_most("A stop is acknowledged (p99)", "stop/figures/ack_p99_ms", 100, " ms"),
    at_most(
        "The model's server sees its connection closed after a stop (p99)",
        "stop/figures/provider_p99_ms",
        200,
        " ms",
    ),
    at_most(
        "Times the model's server was asked although the reply was stopped while it waited",
        "stop/figures/asked_although_stopped",
        0,
        why_not="once in 60 times, in the last run alone; the cause has not been found",
    ),
    at_most(
        "A search in a million messages (the slowest kind of question, p95)",
        "search/ratios/worst_p95_ms",
        50,
        " ms",
        why_not="a common word of somebody who has 200,000 messages: PostgreSQL ranks what it finds",
    ),
)
BUDGETS = (
    at_most(
        "Time to the first token with 500 streams open (p99)",
        "chat/figures/crowd_p99_ms",
        250,
        " ms",
    ),
    at_least(
        "Runs of 500 after which every device shows the stored text, whatever was dropped, reloaded or killed",
        "resume/figures/same_text",
        500,
    ),
)
