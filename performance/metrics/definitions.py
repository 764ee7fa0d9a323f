"""Every metric that this app and its users agreed on: kind, unit, labels, what it means.

The exporter, the documentation, the Prometheus rules and the Grafana board are made from this list.
A metric need not stand here to be recorded; it then has the kind of its first event and no help.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    COUNTER = "c"
    DISTRIBUTION = "d"
    LEVEL = "g"


@dataclass(frozen=True, slots=True)
class Definition:
    """`adds_up`: a level of which every process has its own part, as opposed to one seen by several."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    adds_up: bool = False

    @property
    def unit(self) -> str:
        """seconds, bytes, ratio, or nothing."""
        last = self.name.rpartition("_")[2]
        return last if last in {"seconds", "bytes", "ratio"} else ""


_C, _D, _L = Kind.COUNTER, Kind.DISTRIBUTION, Kind.LEVEL

DEFINITIONS = (
    Definition("request_seconds", _D, ("view", "method", "status"), "Time to the last byte."),
    Definition("request_database_seconds", _D, ("view",), "Time in the database, per request."),
    Definition("request_cache_seconds", _D, ("view",), "Time in the caches, per request."),
    Definition("request_render_seconds", _D, ("view",), "Time in templates, per request."),
    Definition("request_queries", _D, ("view",), "Statements per request."),
    Definition("response_bytes", _D, ("view",), "Size of the body."),
    Definition("requests_in_flight", _L, (), "Requests being answered.", adds_up=True),
    Definition("requests_shed", _C, (), "Requests refused because too many waited."),
    Definition("query_seconds", _D, ("alias", "kind"), "Time of a statement."),
    Definition("query_errors", _C, ("alias", "error"), "Statements that failed."),
    Definition("slow_queries", _C, ("alias",), "Statements slower than the threshold."),
    Definition("n_plus_one", _C, ("view",), "Requests that repeated a statement for each row."),
    Definition("query_budget_exceeded", _C, ("view",), "Requests over their budget of statements."),
    Definition("connection_wait_seconds", _D, ("alias",), "Wait for a database connection."),
    Definition(
        "pool_connections", _L, ("alias", "state"), "Connections of the pool.", adds_up=True
    ),
    Definition("pool_timeouts", _C, ("alias",), "Waits for a connection that were given up."),
    Definition("pool_connections_lost", _C, ("alias",), "Connections found broken."),
    Definition("cache_hits", _C, ("alias", "tier"), "Keys found."),
    Definition("cache_misses", _C, ("alias",), "Keys not found."),
    Definition("cache_errors", _C, ("alias", "error"), "Operations that failed."),
    Definition("cache_bytes", _C, ("alias", "which"), "Bytes written, raw and as stored."),
    Definition("cache_stale_served", _C, ("alias",), "Old values served while a new one was made."),
    Definition("cache_loads", _C, ("alias",), "Values made because they were not there."),
    Definition("task_seconds", _D, ("task", "level", "status"), "Time of a task's run."),
    Definition("task_wait_seconds", _D, ("task", "level"), "Time in the queue."),
    Definition("queue_length", _L, ("level",), "Jobs waiting."),
    Definition("queue_oldest_seconds", _L, ("level",), "Wait of the oldest job."),
    Definition("workers", _L, (), "Workers that live."),
    Definition("tasks_parked", _C, ("level",), "Tasks that took their worker down too often."),
    Definition("reply_first_token_seconds", _D, ("backend",), "Time to a reply's first token."),
    Definition("reply_seconds", _D, ("backend", "status"), "Time of a whole reply."),
    Definition("reply_tokens", _C, ("backend", "kind"), "Tokens in and out."),
    Definition("reply_cost", _C, ("backend",), "Cost as the backend's price list has it."),
    Definition("chat_backend_errors", _C, ("backend", "error"), "Failures of chat backends."),
    Definition("streams_open", _L, (), "Browsers that watch a reply.", adds_up=True),
    Definition("stream_seconds", _D, ("ended",), "Time that an event stream was open."),
    Definition("stream_bytes", _D, (), "Size of an event stream."),
    Definition("streams_refused", _C, ("status",), "Event streams that were not opened."),
    Definition("service_up", _L, ("service",), "1 where the service answers, else 0."),
    Definition("service_seconds", _D, ("service",), "Time of the service's answer."),
    Definition("replication_lag_seconds", _L, ("database",), "How far a replica is behind."),
    Definition("disk_free_ratio", _L, ("path",), "Share of the disk that is free."),
    Definition("metrics_overflow", _C, ("metric",), "Events with too many different labels."),
    Definition("metrics_dropped", _C, ("reason",), "Events that were not recorded."),
    Definition("alert_notifications", _C, ("channel", "status"), "Messages about alerts."),
    Definition("evaluation_seconds", _D, (), "Time to evaluate all alert rules."),
)

BY_NAME = {definition.name: definition for definition in DEFINITIONS}


def adds_up(name: str) -> bool:
    return name in BY_NAME and BY_NAME[name].adds_up
