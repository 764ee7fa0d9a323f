"""Customers, orders and lines: joins, ranges, orders and what must not be indexed."""

from __future__ import annotations

from tests.performance.queries.corpus.case import Case, one

SCHEMA = """
CREATE TABLE customer (id int PRIMARY KEY, name text, country text, email varchar(80), tier int);
CREATE TABLE product (id int PRIMARY KEY, sku text UNIQUE, price numeric(8,2), title text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customer, state text,
    placed timestamptz, total numeric(10,2), note text);
CREATE TABLE line (id int PRIMARY KEY, order_id int REFERENCES orders, product_id int REFERENCES product,
    quantity int, price numeric(8,2));
INSERT INTO customer SELECT n, 'Customer ' || n, (ARRAY['de','fr','it','es','pl'])[1 + n % 5],
    'c' || n || '@example.org', n % 4 FROM generate_series(1, 10000) n;
INSERT INTO product SELECT n, 'SKU-' || n, (n * 7 % 9000) / 10.0, 'Product ' || md5(n::text)
    FROM generate_series(1, 5000) n;
INSERT INTO orders SELECT n, 1 + n::bigint * 7919 % 10000, CASE WHEN n % 200 = 0 THEN 'open' WHEN n % 10 = 0 THEN
    'returned' ELSE 'sent' END, timestamptz '2024-01-01' + (n::bigint * 104729 % 60000) * interval '8 min',
    (n * 31 % 50000) / 100.0, md5(n::text) FROM generate_series(1, 60000) n;
INSERT INTO line SELECT n, 1 + n % 60000, 1 + n::bigint * 7907 % 5000, 1 + n % 9, (n * 13 % 9000) / 10.0
    FROM generate_series(1, 120000) n
"""


def c(name: str, sql: str, *best: str, hypothetical: bool = True) -> Case:
    return one(name, "shop", sql, *best, hypothetical=hypothetical)


CASES = [
    c("equality", "SELECT * FROM orders WHERE customer_id = 42", "orders (customer_id)"),
    c("equality and range", "SELECT * FROM orders WHERE customer_id = 42 AND placed > '2024-06-01'",
      "orders (customer_id, placed)"),
    c("equality and order with limit", "SELECT * FROM orders WHERE customer_id = 42 ORDER BY placed DESC LIMIT 1",
      "orders (customer_id, placed)"),
    c("newest rows", "SELECT * FROM orders ORDER BY placed DESC LIMIT 20", "orders (placed)"),
    c("mixed directions", "SELECT * FROM orders ORDER BY state, placed DESC LIMIT 20",
      "orders (state, placed DESC)"),
    c("rare state, constant", "SELECT * FROM orders WHERE state = 'open' ORDER BY placed LIMIT 10",
      "orders (placed) WHERE state = 'open'"),
    c("common state", "SELECT * FROM orders WHERE state = 'sent'"),
    c("whole table", "SELECT * FROM orders"),
    c("aggregate of all", "SELECT state, count(*) FROM orders GROUP BY state HAVING sum(total) > 0"),
    c("by primary key", "SELECT * FROM orders WHERE id = 77"),
    c("by unique key", "SELECT * FROM product WHERE sku = 'SKU-77'"),
    c("primary key first", "SELECT * FROM orders WHERE id = 77 AND state = 'sent'"),
    c("small table", "SELECT * FROM customer WHERE id < 10000 AND tier >= 0"),
    c("narrow range", "SELECT * FROM orders WHERE placed BETWEEN '2024-03-01' AND '2024-03-02'", "orders (placed)"),
    c("wide range", "SELECT note FROM orders WHERE placed > '2024-01-10'"),
    c("in list", "SELECT * FROM orders WHERE customer_id IN (1, 2, 3, 4)", "orders (customer_id)"),
    c("any of an array", "SELECT * FROM orders WHERE customer_id = ANY (ARRAY[5, 6, 7])", "orders (customer_id)"),
    c("foreign key of one parent", "SELECT l.* FROM orders o JOIN line l ON l.order_id = o.id WHERE o.id = 99",
      "line (order_id)"),
    c("join through two tables",
      "SELECT l.* FROM customer k JOIN orders o ON o.customer_id = k.id JOIN line l ON l.order_id = o.id WHERE k.id = 9",
      "orders (customer_id)", "line (order_id)"),
    c("filter on the far side",
      "SELECT o.* FROM customer k JOIN orders o ON o.customer_id = k.id WHERE k.email = 'c77@example.org'",
      "orders (customer_id)", "customer (email)"),
    c("semi-join", "SELECT * FROM product p WHERE EXISTS (SELECT 1 FROM line l WHERE l.product_id = p.id AND l.order_id = 5)",
      "line (order_id)"),
    c("anti-join", "SELECT id FROM customer k WHERE k.id = 7 AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = k.id)",
      "orders (customer_id)"),
    c("correlated subquery",
      "SELECT k.id, (SELECT max(placed) FROM orders o WHERE o.customer_id = k.id) FROM customer k WHERE k.id < 50",
      "orders (customer_id, placed)"),
    c("lateral, the last of each",
      "SELECT k.id, x.placed FROM customer k, LATERAL (SELECT placed FROM orders o WHERE o.customer_id = k.id "
      "ORDER BY placed DESC LIMIT 1) x WHERE k.id < 100", "orders (customer_id, placed)"),
    c("hash join of everything", "SELECT count(*) FROM orders o JOIN line l ON l.order_id = o.id"),
    c("or of two columns", "SELECT * FROM orders WHERE customer_id = 5 OR placed = '2024-02-02'",
      "orders (customer_id)", "orders (placed)"),
    c("union of two", "SELECT id FROM orders WHERE customer_id = 3 UNION SELECT id FROM orders WHERE placed = '2024-02-02'",
      "orders (customer_id)", "orders (placed)"),
    c("with query", "WITH mine AS (SELECT * FROM orders WHERE customer_id = 3) SELECT count(*) FROM mine",
      "orders (customer_id)"),
    c("keyset page", "SELECT * FROM orders WHERE (placed, id) < ('2024-05-01', 100) ORDER BY placed DESC, id DESC LIMIT 20",
      "orders (placed, id)"),
    c("least and greatest", "SELECT min(total), max(total) FROM orders", "orders (total)"),
    c("greatest of one", "SELECT max(placed) FROM orders WHERE customer_id = 8", "orders (customer_id, placed)"),
    c("covering", "SELECT customer_id, sum(total) FROM orders WHERE customer_id BETWEEN 100 AND 400 GROUP BY customer_id",
      "orders (customer_id) INCLUDE (total)"),
    c("function on the column", "SELECT * FROM customer WHERE lower(email) = 'c9@example.org'",
      "customer (lower(email))"),
    c("arithmetic on the column", "SELECT * FROM orders WHERE total * 2 = 100.00", "orders ((total * 2))"),
    c("varchar compared with text", "SELECT * FROM customer WHERE email = 'c9@example.org'", "customer (email)"),
    c("update", "UPDATE orders SET note = '' WHERE customer_id = 12", "orders (customer_id)"),
    c("delete", "DELETE FROM line WHERE order_id = 12", "line (order_id)"),
    c("insert", "INSERT INTO line VALUES (0, 1, 1, 1, 1)"),
    c("insert from a selection", "INSERT INTO line SELECT -id, id, 1, 1, 1 FROM orders WHERE customer_id = 13",
      "orders (customer_id)"),
    c("unequal", "SELECT count(*) FROM orders WHERE state <> 'sent'"),
    Case("one index for three", "shop", (
        ("SELECT * FROM orders WHERE customer_id = 42", 100),
        ("SELECT * FROM orders WHERE customer_id = 43 AND placed > '2024-06-01'", 100),
        ("SELECT * FROM orders WHERE customer_id = 44 ORDER BY placed DESC LIMIT 5", 100),
    ), ("orders (customer_id, placed)",)),
    Case("writes outweigh", "shop", (
        ("SELECT * FROM orders WHERE total = 5.01", 1),
        ("INSERT INTO orders VALUES (0, 1, 'open', now(), 1, '')", 2_000_000),
    )),
]  # fmt: skip
