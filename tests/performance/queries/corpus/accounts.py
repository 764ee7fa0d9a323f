"""Odd names, several schemas, a partitioned table."""

from __future__ import annotations

from tests.performance.queries.corpus.case import Case, one

SCHEMA = """
CREATE SCHEMA ledger;
CREATE TABLE ledger."Account" ("Id" int PRIMARY KEY, "Owner Name" text, "group" int);
INSERT INTO ledger."Account" SELECT n, 'Owner ' || n % 9000, n % 3000 FROM generate_series(1, 30000) n;
CREATE VIEW ledger.named AS SELECT "Id", "Owner Name" AS owner FROM ledger."Account";
CREATE TABLE entry (id int NOT NULL, account int, booked date NOT NULL, amount int) PARTITION BY RANGE (booked);
CREATE TABLE entry_2023 PARTITION OF entry FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE entry_2024 PARTITION OF entry FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO entry SELECT n, n % 5000, date '2023-01-01' + n % 700, n FROM generate_series(1, 60000) n
"""


def c(name: str, sql: str, *best: str, hypothetical: bool = True) -> Case:
    return one(name, "accounts", sql, *best, hypothetical=hypothetical)


CASES = [
    c("quoted names", 'SELECT * FROM ledger."Account" WHERE "Owner Name" = \'Owner 5\'', 'ledger."Account" ("Owner Name")'),
    c("reserved word", 'SELECT * FROM ledger."Account" WHERE "group" = 9', 'ledger."Account" ("group")'),
    c("through a view", "SELECT * FROM ledger.named WHERE owner = 'Owner 5'", 'ledger."Account" ("Owner Name")'),
    c("comments", '/* app */ SELECT "Id" -- which\nFROM ledger."Account" WHERE "group" = 9', 'ledger."Account" ("group")'),
    c("partition that is named", "SELECT * FROM entry WHERE booked >= '2024-01-01' AND account = 77", "entry_2024 (account)"),
]  # fmt: skip
