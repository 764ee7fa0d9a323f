"""A queue: skew, partial indexes, claims."""

from __future__ import annotations

from tests.performance.queries.corpus.case import Case, one

SCHEMA = """
CREATE TABLE job (id bigserial PRIMARY KEY, status text NOT NULL, queue text, run_at timestamptz,
    locked_by int, deleted_at timestamptz, urgent boolean NOT NULL, payload text, attempts int);
INSERT INTO job (status, queue, run_at, locked_by, deleted_at, urgent, payload, attempts)
SELECT CASE WHEN n % 1000 = 0 THEN 'pending' WHEN n % 500 = 1 THEN 'failed' ELSE 'done' END,
    'q' || n % 6, timestamptz '2024-01-01' + (n::bigint * 7919 % 100000) * interval '1 min',
    CASE WHEN n % 300 = 0 THEN n % 50 END, CASE WHEN n % 50 <> 0 THEN now() END, n % 400 = 0,
    repeat(md5(n::text), 3), n % 4 FROM generate_series(1, 100000) n
"""


def c(name: str, sql: str, *best: str, hypothetical: bool = True) -> Case:
    return one(name, "jobs", sql, *best, hypothetical=hypothetical)


CASES = [
    c("the next job", "SELECT * FROM job WHERE status = 'pending' ORDER BY run_at LIMIT 1",
      "job (run_at) WHERE status = 'pending'"),
    c("claim", "SELECT id FROM job WHERE status = 'pending' AND run_at < now() ORDER BY run_at LIMIT 5 FOR UPDATE SKIP LOCKED",
      "job (run_at) WHERE status = 'pending'"),
    c("rare status", "SELECT * FROM job WHERE status = 'failed'", "job (status)"),
    c("common status", "SELECT count(payload) FROM job WHERE status = 'done'"),
    c("common status, counted by another", "SELECT sum(attempts) FROM job WHERE status = 'done' AND urgent = false"),
    c("rare flag", "SELECT * FROM job WHERE urgent", "job (id) WHERE urgent"),
    c("common flag", "SELECT payload FROM job WHERE NOT urgent"),
    c("not null where rare", "SELECT * FROM job WHERE locked_by = 7", "job (locked_by)"),
    c("is null where rare", "SELECT * FROM job WHERE deleted_at IS NULL AND queue = 'q1' AND attempts = 2",
      "job (queue, attempts) WHERE deleted_at IS NULL"),
    c("is not null where rare", "SELECT count(*) FROM job WHERE locked_by IS NOT NULL", "job (locked_by) WHERE locked_by IS NOT NULL"),
    c("soft delete, common", "SELECT payload FROM job WHERE deleted_at IS NOT NULL"),
    c("three equalities", "SELECT * FROM job WHERE queue = 'q3' AND attempts = 1 AND locked_by = 9", "job (locked_by, queue, attempts)"),
    c("rare and range", "SELECT * FROM job WHERE status = 'failed' AND run_at > '2024-03-01'",
      "job (run_at) WHERE status = 'failed'"),
    c("nulls last", "SELECT * FROM job ORDER BY locked_by NULLS LAST LIMIT 5", "job (locked_by)"),
    c("nulls first", "SELECT * FROM job ORDER BY run_at NULLS FIRST LIMIT 5", "job (run_at NULLS FIRST)"),
    Case("rare and common together", "jobs", (
        ("SELECT count(*) FROM job WHERE status = 'pending'", 1000),
        ("SELECT count(payload) FROM job WHERE status = 'done'", 1),
    ), ("job (status)",)),
]  # fmt: skip
