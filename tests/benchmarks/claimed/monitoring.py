"""What is claimed of metrics, alerts and the analysis of queries."""

from __future__ import annotations

from tests.benchmarks.claimed.claim import at_least, at_most

CLAIMS = (
    at_most(
        "Evaluating 100 rules over 2 million rows takes",
        "alerts/figures/evaluation_ms/median",
        100,
        " ms",
    ),
    at_most(
        "From the beginning of such an evaluation until the alert and its message are recorded",
        "alerts/figures/firing_ms/median",
        100,
        " ms",
    ),
    at_most(
        "From the beginning of an evaluation until the message has arrived (worst)",
        "alert_delay/figures/evaluation_to_message_ms/worst",
        100,
        " ms",
        why_not="the median keeps it by far; what held the worst has not been found",
    ),
    at_most(
        "From an event until its alert fires, everything running by itself (worst)",
        "alert_delay/figures/event_to_firing_s/worst",
        10,
        " s",
    ),
    at_least(
        "Hours of minutes that are there after pruning, without a hole",
        "retention/figures/hours_without_a_hole",
        24,
        " hours",
    ),
    at_most("Rows left that are older than they should be", "retention/figures/rows_too_old", 0),
    at_most(
        "The chat's queries take, after the suggested indexes, of the time before",
        "advice_effect/ratios/chat",
        50,
        " %",
        factor=100,
    ),
    at_most(
        "pgbench's queries without its indexes, likewise",
        "advice_effect/ratios/pgbench",
        50,
        " %",
        factor=100,
    ),
    at_most(
        "From an event until a dashboard can read it (worst)",
        "monitoring/figures/own/event_to_readable_s",
        2,
        " s",
    ),
    at_most(
        "A small ASGI view under our middleware to the bare one",
        "monitoring/ratios/small ours",
        1.05,
    ),
)
BUDGETS = (
    at_most("CPU of watching a statement", "monitoring/figures/own/watch_statement_us", 1, " us"),
    at_most("Calls that watching a statement makes", "monitoring/figures/calls/ours/query", 10),
    at_most(
        "CPU that measuring adds to a request, in its thread",
        "monitoring/figures/added_in_its_thread/ours/request_us",
        15,
        " us",
    ),
    at_most("SQL of 100 rules over 2 million rows", "alerts/figures/sql_ms/median", 5, " ms"),
    at_most(
        "True cost of the queries of 93 cases with the indexes advised, to those of index_advisor",
        "index_advice/ratios/cost of ours to index_advisor's",
        60,
        " %",
        factor=100,
    ),
    at_least(
        "Indexes advised there that the planner uses",
        "index_advice/figures/verified/precision",
        90,
        " %",
        factor=100,
    ),
)
