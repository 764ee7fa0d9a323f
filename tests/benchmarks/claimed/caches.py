"""What is claimed of the caches."""

from __future__ import annotations

from tests.benchmarks.claimed.claim import at_least, at_most

_HIT = "cache/figures/hit_us"
_FASTER = "cache/ratios/tier1_conversation_faster_than"
CLAIMS = (
    at_most(
        "A cached conversation of 50 messages is read in (first tier, p99)",
        f"{_HIT}/conversation/ours-tiered/p99",
        1,
        " ms",
        factor=0.001,
    ),
    at_most(
        "The same from Redis (p50)",
        f"{_HIT}/conversation/ours-redis/p50",
        1,
        " ms",
        factor=0.001,
    ),
    at_least(
        "Pages of the list and of conversations that come from the cache alone",
        "cached_chat/ratios/pages_from_cache",
        70,
        " %",
        factor=100,
    ),
    at_least(
        "Results of tools found in the cache",
        "cached_chat/ratios/hit_rate/tool_results",
        70,
        " %",
        factor=100,
    ),
    at_least(
        "Answers found in the cache",
        "cached_chat/ratios/hit_rate/ai_responses",
        70,
        " %",
        factor=100,
        why_not="it is the share of questions that are asked twice, which the workload assumes to be a third",
    ),
    at_least(
        "Statements fewer with the caches on, a day of chat",
        "cached_chat/ratios/statements_less",
        50,
        " %",
        factor=100,
        why_not="sending takes as many with the caches as without: three quarters of those that are left",
    ),
    at_least(
        "A cached conversation page is faster by (p50)",
        "cached_chat/ratios/p50_less/conversation",
        70,
        " %",
        factor=100,
    ),
    at_least(
        "A cached list page is faster by (p50)",
        "cached_chat/ratios/p50_less/list",
        70,
        " %",
        factor=100,
        why_not="what is left is the frame of the page and Django's middleware",
    ),
)
BUDGETS = (
    at_most(
        "A conversation of 50 messages, first tier (p50)",
        f"{_HIT}/conversation/ours-tiered/p50",
        3,
        " us",
    ),
    at_most(
        "The same with `await aget` (p50)",
        "cache/figures/async_hit_us/conversation/ours-tiered/p50",
        10,
        " us",
    ),
    at_least(
        "The same, to django-redis",
        f"{_FASTER}/django-redis",
        120,
        " times as fast",
        why_not="a round trip is short on this machine, so there is less to save than where the target was set",
    ),
    at_least("The same, to LocMemCache, which pickles", f"{_FASTER}/locmem", 20, " times as fast"),
    at_least(
        "The same, to the ORM's query",
        f"{_FASTER}/orm",
        1000,
        " times as fast",
        why_not="PostgreSQL is on the same machine and answers in under a millisecond",
    ),
    at_most(
        "A small value from Redis, to a raw socket's round trip",
        "cache/ratios/tier2_small_over_socket/ours-redis",
        1.35,
        " times",
    ),
    at_most(
        "Bytes stored of a conversation, to pickle's",
        "cache/ratios/bytes_conversation_of_pickle",
        0.46,
    ),
    at_most(
        "Bytes stored of a small value, to pickle's", "cache/ratios/bytes_small_of_pickle", 0.45
    ),
    at_most(
        "100 callers in 4 processes who miss one key load it",
        "cache/ratios/herd_loads/ours-tiered",
        1,
        " times",
    ),
    at_most("Stale reads in 20,000 forced races", "cache_races/figures/stale", 0),
    at_most(
        "A namespace of any size is cleared in", "cache/figures/clearing/namespace.clear", 1, " ms"
    ),
)
