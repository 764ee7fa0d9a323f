"""Much, in the order of time."""

from __future__ import annotations

from tests.performance.queries.corpus.case import Case, one

SCHEMA = """
CREATE TABLE event (id bigserial PRIMARY KEY, at timestamptz NOT NULL, tenant int NOT NULL, kind int NOT NULL,
    actor int, value float8, extra text);
INSERT INTO event (at, tenant, kind, actor, value, extra)
SELECT timestamptz '2024-01-01' + n * interval '20 s', n::bigint * 7919 % 300, n % 4, n::bigint * 104729 % 20000, n % 977, md5(n::text)
FROM generate_series(1, 150000) n;
CREATE INDEX event_tenant_at ON event (tenant, at)
"""


def c(name: str, sql: str, *best: str, hypothetical: bool = True) -> Case:
    return one(name, "events", sql, *best, hypothetical=hypothetical)


CASES = [
    c("covered already", "SELECT * FROM event WHERE tenant = 5 AND at > '2024-02-01' ORDER BY at LIMIT 50"),
    c("covered by a prefix", "SELECT count(*) FROM event WHERE tenant = 5"),
    c("second key alone", "SELECT * FROM event WHERE at BETWEEN '2024-01-05' AND '2024-01-05 01:00'", "event (at)"),
    c("actor", "SELECT * FROM event WHERE actor = 17", "event (actor)"),
    c("actor in a tenant", "SELECT * FROM event WHERE tenant = 5 AND actor = 17", "event (actor, tenant)"),
    c("actor in a period", "SELECT * FROM event WHERE actor = 17 AND at > '2024-01-20'", "event (actor, at)"),
    c("few kinds", "SELECT avg(value) FROM event WHERE kind = 3"),
    c("kind, newest", "SELECT * FROM event WHERE kind = 3 ORDER BY at DESC LIMIT 10", "event (at)"),
    c("window", "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY kind ORDER BY at DESC) r FROM event WHERE actor = 9) x WHERE r = 1",
      "event (actor)"),
    c("self-join", "SELECT b.id FROM event a JOIN event b ON b.actor = a.actor WHERE a.id = 100", "event (actor)"),
    c("count of a period", "SELECT count(*) FROM event WHERE at >= '2024-01-03' AND at < '2024-01-04'", "event (at)"),
    Case("two tenants' questions", "events", (
        ("SELECT count(*) FROM event WHERE tenant = 5 AND at > '2024-01-30'", 1000),
        ("SELECT max(at) FROM event WHERE tenant = 6", 1000),
    )),
]  # fmt: skip
